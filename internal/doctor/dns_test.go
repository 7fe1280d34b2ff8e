package doctor

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/dns/dnsmessage"
)

func TestNameServers(t *testing.T) {
	for _, c := range []struct{ resolv, upstream, want string }{
		{"# x\nsearch lab\nnameserver 10.0.0.1\nnameserver  10.0.0.2\noptions edns0\n", "", "10.0.0.1 10.0.0.2"},
		{"nameserver 127.0.0.53\n", "nameserver 10.0.0.9\n", "10.0.0.9"},
		{"nameserver 127.0.0.53\n", "", "127.0.0.53"},
		{"nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\n", "", "1.1.1.1 1.1.1.2 1.1.1.3"},
		{"", "", ""},
	} {
		root := fstest.MapFS{"etc/resolv.conf": {Data: []byte(c.resolv)}, "run/systemd/resolve/resolv.conf": {Data: []byte(c.upstream)}}
		if got := strings.Join(nameServers(root), " "); got != c.want {
			t.Errorf("%q: %s, want %s", c.resolv, got, c.want)
		}
	}
	if nameServers(fstest.MapFS{}) != nil {
		t.Error("name servers out of nothing")
	}
}

func answer(t testing.TB, id uint16, code dnsmessage.RCode, bodies ...dnsmessage.ResourceBody) []byte {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id, Response: true, RCode: code}}
	for _, b := range bodies {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("a.lab."), Class: dnsmessage.ClassINET}, Body: b,
		})
	}
	packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func TestAnswersOfNameServers(t *testing.T) {
	alias := &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("b.lab.")}
	a, aaaa := &dnsmessage.AResource{A: [4]byte{198, 51, 100, 7}}, &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::7").As16()}
	got, err := addressesIn(answer(t, 7, dnsmessage.RCodeSuccess, alias, a, aaaa), 7)
	if want := []netip.Addr{netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("2001:db8::7")}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := addressesIn(answer(t, 7, dnsmessage.RCodeNameError), 7); err != nil || got != nil {
		t.Errorf("no such name: %v, %v", got, err)
	}
	if _, err := addressesIn(answer(t, 7, dnsmessage.RCodeServerFailure), 7); err == nil || !strings.Contains(err.Error(), "ServerFailure") {
		t.Errorf("a failure: %v", err)
	}
	if _, err := addressesIn(answer(t, 8, dnsmessage.RCodeSuccess, a), 7); err == nil {
		t.Error("an answer to somebody else's question is taken")
	}
	question, id, err := ourQuestion("a.lab", dnsmessage.TypeA)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := addressesIn(question, id); err == nil {
		t.Error("our own question is taken for an answer")
	}
	if _, _, err := ourQuestion(strings.Repeat("a", 300), dnsmessage.TypeA); err == nil {
		t.Error("a name that is too long is asked for")
	}
}

// FuzzAddressesIn: what a name server sends never breaks us.
func FuzzAddressesIn(f *testing.F) {
	f.Add(answer(f, 7, dnsmessage.RCodeSuccess, &dnsmessage.AResource{}))
	f.Fuzz(func(t *testing.T, text []byte) {
		if list, err := addressesIn(text, 7); err != nil && list != nil {
			t.Errorf("%v and %v", list, err)
		}
	})
}
