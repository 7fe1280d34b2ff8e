// Package sdp turns offers and answers into data and back.
//
// [Parse] accepts what browsers of all generations send (Unified Plan, Plan B, Kurento-era clients); [Description.Text]
// writes what current Chrome, Firefox and Safari as well as those old clients accept. What applications do to descriptions on
// their way, Parse mends and reports (repair.go). Between the two, [Section.Choose]
// and [Section.Match] pick codecs, and [Answer] and [Offer] lay the sections out. It negotiates nothing by itself: who
// may publish what is decided by media/peer.
//
// It imports nothing of ours and holds no state. Start reading at [Description].
package sdp
