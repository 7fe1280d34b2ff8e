// Package load is the load generator of bench: WebRTC clients so light that one core carries 2,500 of them beside the
// server's core, a player of recorded packet shapes, and the floor that servers are compared with.
//
// A [Loop] is one goroutine with an epoll set; it drives every [Client] made for it. A client is its descriptions (terms),
// its ICE (agent), its DTLS and SRTP (keys) and its RTCP (talk), each in a file. It owns one UDP socket and has no
// goroutine of its own once it is connected. What viewers receive is dropped in the kernel and counted there (filter.go);
// only probes read and decrypt it. A [Player] plays a [Shape], recorded or (clip.go) one to look at, into publishers on an absolute schedule; [Hear] says how
// long packets took to the probes. [RunFloor] measures the best bare sender.
//
// Linux only: epoll, SO_ATTACH_FILTER, SO_MEMINFO. It imports media/sdp and media/socket; never a media server's own
// packet path, which it measures. Start reading at [NewViewer], then loop.go.
package load
