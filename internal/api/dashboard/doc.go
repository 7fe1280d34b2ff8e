// Package dashboard serves what a browser finds at the printed address: the call page, the check at
// /dashboard/test, the tokens they join with, and a feed of what happens for those who watch ([Feed]).
//
// It owns the page's cache discipline (HTML revalidated, hashed assets for ever), its security headers, and who may
// have a token: [Mode], the caller's address, the page's origin, a rate per address. It knows no session rule; what
// it needs of them is [Rooms]. It must not import media, pipeline or config. Start at [New], then token.go.
package dashboard
