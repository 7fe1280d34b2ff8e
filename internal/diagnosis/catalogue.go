package diagnosis

// Code names a fault; the same word in records, logs, REST, doctor and pages.
type Code string

// Scope says where a fault is met.
type Scope string

// The scopes.
const (
	InCall Scope = "call" // of one participant's media; found by the detectors
	OnHost Scope = "host" // of this machine; found by `tertulia doctor`
	OnPage Scope = "page" // of a browser before it joins; found by the pages we serve
	InUse  Scope = "use"  // of how this server is used; found by the requests it gets
)

// Fault is a row of the catalogue.
type Fault struct {
	Code     Code
	Scope    Scope
	Side     Side
	Severity Severity
	Title    string // one line, for people
	Meaning  string // what happens, and what people notice
	Evidence string // what it is told by
	// Fix is what to do; words in braces are filled in: {port}, {address}, {rule} …
	Fix string
	// Reproduce tells how to see it on a test machine.
	Reproduce string
}

// Faults of calls.
const (
	NetUnreachable       Code = "NET_UNREACHABLE"
	ServerUDPBlocked     Code = "SERVER_UDP_BLOCKED"
	ClientUDPBlocked     Code = "CLIENT_UDP_BLOCKED"
	ExternalAddressWrong Code = "EXTERNAL_ADDRESS_WRONG"
	SymmetricNATNoRelay  Code = "SYMMETRIC_NAT_NO_RELAY"
	ReturnPathBlocked    Code = "RETURN_PATH_BLOCKED"
	ICECredentialsWrong  Code = "ICE_CREDENTIALS_WRONG"
	TURNSecretWrong      Code = "TURN_SECRET_WRONG"
	TURNClockSkewed      Code = "TURN_CLOCK_SKEWED"
	DTLSBlocked          Code = "DTLS_BLOCKED"
	DTLSFingerprint      Code = "DTLS_FINGERPRINT_MISMATCH"
	MTUBlackHole         Code = "MTU_BLACK_HOLE"
	AudioOneWay          Code = "AUDIO_ONE_WAY"
	SDPPlusMangled       Code = "SDP_PLUS_MANGLED"
	SDPMangled           Code = "SDP_MANGLED"
	CodecMismatch        Code = "CODEC_MISMATCH"
	NoMediaSent          Code = "NO_MEDIA_SENT"
	SourceSilent         Code = "SOURCE_SILENT"
	LossUplink           Code = "LOSS_UPLINK"
	LossDownlink         Code = "LOSS_DOWNLINK"
	CameraBusy           Code = "CAMERA_BUSY"
	AutoplayBlocked      Code = "AUTOPLAY_BLOCKED"
	ProxyIdleTimeout     Code = "PROXY_IDLE_TIMEOUT"
	NATIdleTimeout       Code = "NAT_IDLE_TIMEOUT"
	ClientNetworkLost    Code = "CLIENT_NETWORK_LOST"
	InsecureOrigin       Code = "INSECURE_ORIGIN"
	SecretInBrowser      Code = "SECRET_IN_BROWSER"
	ConfigInvalid        Code = "CONFIG_INVALID"
	PortTaken            Code = "PORT_TAKEN"
	AddressWrong         Code = "ADDRESS_WRONG"
	DNSMismatch          Code = "DNS_MISMATCH"
	CertificateInvalid   Code = "CERTIFICATE_INVALID"
	ClockSkewed          Code = "CLOCK_SKEWED"
	TURNFaulty           Code = "TURN_FAULTY"
	FDLimit              Code = "FD_LIMIT"
	DiskLow              Code = "DISK_LOW"
	KernelBuffersSmall   Code = "KERNEL_BUFFERS_SMALL"
	GStreamerMissing     Code = "GSTREAMER_MISSING"
	KnownIssue           Code = "KNOWN_ISSUE"
	ConfigDrift          Code = "CONFIG_DRIFT"
)

// Catalogue is every fault with a name: 25 of calls, 13 of hosts, one of pages, one of use.
var Catalogue = []Fault{
	{
		Code: NetUnreachable, Scope: InCall, Side: Network, Severity: Error,
		Title:     "None of our media addresses can be reached by this participant",
		Meaning:   "Signalling works, but no connectivity check has come over UDP, TCP or TURN: this participant neither sends nor receives media.",
		Evidence:  "No verified check on any path within 8 s of both descriptions; the client's candidates are known; others do connect, or nobody ever has.",
		Fix:       "Open {port}/udp and {port}/tcp towards {address} on every firewall between: {rule}. If others connect, the firewall is this participant's.",
		Reproduce: "Drop everything but the HTTPS connection that is already open between client and server.",
	}, {
		Code: ServerUDPBlocked, Scope: InCall, Side: Server, Severity: Warning,
		Title:     "UDP does not reach this server: everybody comes over TCP",
		Meaning:   "Calls work over ICE-TCP or TURN, with more delay on lossy networks. A firewall or security group in front of the server drops UDP.",
		Evidence:  "Participants of two networks or more (or all there are) use TCP or TURN, no UDP datagram has come from outside this machine.",
		Fix:       "Open {port}/udp at the server: {rule}",
		Reproduce: "Drop UDP to the server's port at the server's firewall.",
	}, {
		Code: ClientUDPBlocked, Scope: InCall, Side: Client, Severity: Notice,
		Title:     "This participant's network blocks UDP; media goes over TCP",
		Meaning:   "The call works, with more delay where packets are lost.",
		Evidence:  "The selected path is TCP or TURN although the client offered UDP candidates, while other networks reach us by UDP.",
		Fix:       "Nothing must be done. For a better picture open UDP to {address} port {port} in the participant's network.",
		Reproduce: "Drop UDP at the participant's router.",
	}, {
		Code: ExternalAddressWrong, Scope: InCall, Side: Server, Severity: Error,
		Title:     "We offer an address that is not ours",
		Meaning:   "Clients send their checks to {address}, where somebody else, or nobody, is.",
		Evidence:  "DOMAIN_OR_PUBLIC_IP, or what it resolves to, is neither an address of this machine nor the verified public one, and no check comes.",
		Fix:       "Set DOMAIN_OR_PUBLIC_IP to {verified}, the address by which clients and STUN servers see this machine, or leave it unset.",
		Reproduce: "Start with DOMAIN_OR_PUBLIC_IP=203.0.113.99.",
	}, {
		Code: SymmetricNATNoRelay, Scope: InCall, Side: Network, Severity: Error,
		Title:     "A symmetric NAT on the way, and no relay to go around it",
		Meaning:   "The participant's NAT uses another port for each destination, our address cannot be reached directly, and there is no TURN server it may use.",
		Evidence:  "Two server-reflexive candidates of one base have different ports, there is no relayed candidate, and no check has come.",
		Fix:       "Make {address} port {port} reachable for UDP and TCP, or let clients use the built-in relay: remove OPENVIDU_WEBRTC_ICE_SERVERS, or add a turns: URL to it.",
		Reproduce: "Client behind `masquerade fully-random`, server's port closed to the outside, ICE servers without TURN.",
	}, {
		Code: ReturnPathBlocked, Scope: InCall, Side: Network, Severity: Error,
		Title:     "The participant's packets arrive, our answers do not",
		Meaning:   "A firewall lets packets pass in one direction only. Checks come again and again and are never used.",
		Evidence:  "Five verified checks or more on a path within 3 s, none nominated, no DTLS, and the client goes on asking.",
		Fix:       "Let replies from {address} port {port}/udp through to the participant: a stateful rule (established, related) on the firewall between.",
		Reproduce: "Drop UDP from the server's port to the client.",
	}, {
		Code: ICECredentialsWrong, Scope: InCall, Side: Application, Severity: Error,
		Title:     "The description was changed on its way: ICE credentials do not match",
		Meaning:   "Checks reach the right endpoint with a wrong password: what the browser was given is not what we sent, or the reverse.",
		Evidence:  "Checks that name this endpoint and do not verify, and none that does.",
		Fix:       "Pass SDP on unchanged. Look for code that edits, caches or re-encodes sdpOffer and sdpAnswer, and for answers used twice.",
		Reproduce: "Change a character of a=ice-pwd in the answer before the browser gets it.",
	}, {
		Code: TURNSecretWrong, Scope: InCall, Side: TURN, Severity: Warning,
		Title:     "The TURN server refuses our credentials",
		Meaning:   "Participants that need a relay cannot connect; the others do not notice.",
		Evidence:  "{turn} answers 401 to credentials made with our secret, whatever their lifetime.",
		Fix:       "Use the same secret on both sides: static-auth-secret of {turn} and COTURN_SHARED_SECRET_KEY (or staticAuthSecret of its entry in OPENVIDU_WEBRTC_ICE_SERVERS) here.",
		Reproduce: "Start coturn with another static-auth-secret.",
	}, {
		Code: TURNClockSkewed, Scope: InCall, Side: TURN, Severity: Warning,
		Title:     "The TURN server takes our credentials for expired: clocks disagree",
		Meaning:   "Participants that need a relay cannot connect; the others do not notice.",
		Evidence:  "{turn} answers 401 to a credential that is valid by our clock, and accepts the same with a far longer lifetime.",
		Fix:       "Set the clocks of this machine and of {turn} (timedatectl set-ntp true).",
		Reproduce: "Run coturn with a clock two days ahead.",
	}, {
		Code: DTLSBlocked, Scope: InCall, Side: Network, Severity: Error,
		Title:     "Checks pass, the key exchange does not",
		Meaning:   "Something between lets STUN through and drops DTLS: there are no keys, so there is no media.",
		Evidence:  "Verified checks and a nominated path for 4 s, and no DTLS record, or no handshake that ends.",
		Fix:       "Switch off inspection of WebRTC traffic (DTLS over UDP, RFC 5764) on the firewall between, or exempt {address} port {port}.",
		Reproduce: "Drop UDP payloads whose first byte is 20 to 63.",
	}, {
		Code: DTLSFingerprint, Scope: InCall, Side: Application, Severity: Error,
		Title:     "The participant's certificate is not the one its description announced",
		Meaning:   "Somebody sits between, or the description was mixed up with another connection's. We refuse the keys.",
		Evidence:  "The DTLS certificate's digest differs from a=fingerprint.",
		Fix:       "Pass each peer connection's SDP on unchanged and to its own connection. If the application does, look for a middlebox that terminates DTLS.",
		Reproduce: "Change a digit of a=fingerprint in the offer.",
	}, {
		Code: MTUBlackHole, Scope: InCall, Side: Network, Severity: Error,
		Title:     "Large packets vanish: sound flows, video does not",
		Meaning:   "A link on the way (often a VPN) takes smaller packets than its ends believe, and does not say so.",
		Evidence:  "Small packets flow in both directions, and no packet above {size} bytes has arrived although video is sent.",
		Fix:       "Set the MTU of the tunnel or link right, or let ICMP \"fragmentation needed\" pass; clamping helps TCP only.",
		Reproduce: "Drop packets of more than 700 bytes on the way.",
	}, {
		Code: AudioOneWay, Scope: InCall, Side: Network, Severity: Error,
		Title:     "Media flows in one direction only",
		Meaning:   "One side hears the other and is not heard: packets of one direction are dropped after the connection was made.",
		Evidence:  "{kind} was sent, reports about it say that nothing arrived (or checks come and media does not), while the other direction flows.",
		Fix:       "Allow UDP between the participant and {address} port {port} in both directions for as long as the call lasts.",
		Reproduce: "After connecting, drop UDP packets of the audio's size from server to client.",
	}, {
		Code: SDPPlusMangled, Scope: InCall, Side: Application, Severity: Notice,
		Title:     "'+' became a space in a description; mended",
		Meaning:   "The application sends SDP through something that decodes it as a web form.",
		Evidence:  "Line {line}: a space where none can be.",
		Fix:       "Encode SDP with encodeURIComponent before it goes into a URL or form.",
		Reproduce: "Replace + by a space in a=ice-ufrag and a=ice-pwd.",
	}, {
		Code: SDPMangled, Scope: InCall, Side: Application, Severity: Error,
		Title:     "A description was damaged on its way",
		Meaning:   "What could be mended was; what could not was refused by name.",
		Evidence:  "Line {line}: {what}.",
		Fix:       "Pass SDP on byte by byte: no trimming, no typographic quotes, no re-wrapping of lines.",
		Reproduce: "Remove CR and LF between lines, or cut a candidate in half.",
	}, {
		Code: CodecMismatch, Scope: InCall, Side: Client, Severity: Error,
		Title:     "No video codec in common",
		Meaning:   "The participant's video is refused or left out; its audio flows.",
		Evidence:  "offered={offered} allowed={allowed}.",
		Fix:       "Create the session with forcedVideoCodec {offered} or NONE, or use a client that can encode one of {allowed}.",
		Reproduce: "Offer H.264 alone to a session with forcedVideoCodec VP8.",
	}, {
		Code: NoMediaSent, Scope: InCall, Side: Client, Severity: Error,
		Title:     "The participant publishes, but its browser sends no media",
		Meaning:   "The transport is up and no packet of {kind} has come: the camera delivers nothing, the track has ended, or the page was put to sleep.",
		Evidence:  "Connected for 5 s, the stream is announced as active, no RTP of {kind}.",
		Fix:       "Ask the participant to check the camera or microphone (covered, unplugged, taken by the system) and to publish again.",
		Reproduce: "Publish a canvas track that never gets a frame.",
	}, {
		Code: SourceSilent, Scope: InCall, Side: Publisher, Severity: Error,
		Title:     "There is nothing to see: the publisher does not deliver",
		Meaning:   "This participant's connection is in order; what it subscribed to does not reach the server.",
		Evidence:  "The subscription is connected and its source has sent nothing for 5 s. The publisher's own diagnosis says why.",
		Fix:       "Look at the diagnosis of connection {publisher}.",
		Reproduce: "Cut the publisher's network and look at a subscriber.",
	}, {
		Code: LossUplink, Scope: InCall, Side: Client, Severity: Warning,
		Title:     "The participant's uplink loses packets",
		Meaning:   "Everybody sees this participant's picture freeze or break.",
		Evidence:  "{loss} % of what the participant sent was lost before it reached us.",
		Fix:       "Better radio or cable at the participant's side, or less bandwidth: OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH.",
		Reproduce: "Drop 30 % of UDP from client to server.",
	}, {
		Code: LossDownlink, Scope: InCall, Side: Client, Severity: Warning,
		Title:     "The participant's downlink loses packets",
		Meaning:   "This participant sees others freeze or break; nobody else does.",
		Evidence:  "The participant reports {loss} % of our packets lost.",
		Fix:       "Better radio or cable at the participant's side, or fewer and smaller streams.",
		Reproduce: "Drop 30 % of UDP from server to client.",
	}, {
		Code: CameraBusy, Scope: InCall, Side: Client, Severity: Error,
		Title:     "The camera or microphone is in use by another program",
		Meaning:   "The participant's browser cannot open the device, so the participant has joined with less than it wanted.",
		Evidence:  "The client's log: DEVICE_ALREADY_IN_USE (NotReadableError).",
		Fix:       "Close the other program or tab that uses the device, then publish again.",
		Reproduce: "Make getUserMedia reject with NotReadableError.",
	}, {
		Code: AutoplayBlocked, Scope: InCall, Side: Client, Severity: Warning,
		Title:     "The browser has the stream and does not play it: it waits for a click",
		Meaning:   "Media arrives, and the participant sees and hears nothing. Browsers, Safari above all, start no sound before somebody has touched the page.",
		Evidence:  "The client's log: no streamPlaying event (NO_STREAM_PLAYING_EVENT) or a play() that was refused (NotAllowedError), while its own reports say that packets arrive.",
		Fix:       "Let people click something before they join, or show a button that calls play() on the video when the SDK tells NO_STREAM_PLAYING_EVENT; a muted video plays at once.",
		Reproduce: "Keep a page from getting the canplay event of its videos, and make play() reject with NotAllowedError.",
	}, {
		Code: ProxyIdleTimeout, Scope: InCall, Side: Proxy, Severity: Warning,
		Title:     "A proxy ends idle websockets after {seconds} s",
		Meaning:   "Signalling breaks and comes back again and again at the same age; media flows on.",
		Evidence:  "Websockets ended {times} times at {seconds} s ± 1 s after their last message.",
		Fix:       "Raise the proxy's idle limit (nginx: proxy_read_timeout 3600s;) or leave our pings (every 20 s) on.",
		Reproduce: "A proxy that closes connections without traffic for 60 s, our pings off.",
	}, {
		Code: NATIdleTimeout, Scope: InCall, Side: Network, Severity: Warning,
		Title:     "A NAT on the way forgets UDP after {seconds} s",
		Meaning:   "The participant's address changes under a connection that was silent; it freezes until checks come along the new one.",
		Evidence:  "Its packets came from another port {times} times, after a silence of {seconds} s each.",
		Fix:       "Raise the UDP timeout of the NAT (RFC 4787: 2 minutes at least).",
		Reproduce: "nf_conntrack_udp_timeout_stream=30 and a client that sends nothing.",
	}, {
		Code: ClientNetworkLost, Scope: InCall, Side: Client, Severity: Error,
		Title:     "The participant's network is gone",
		Meaning:   "Media stopped on all paths at once and the websocket is silent too: the device is offline, asleep or out of reach.",
		Evidence:  "No packet on any path for 5 s, websocket lost or without ping for as long.",
		Fix:       "Nothing here: the participant comes back by itself when its network does.",
		Reproduce: "Set the participant's link down.",
	},

	{
		Code: InsecureOrigin, Scope: OnPage, Side: Application, Severity: Error,
		Title:     "The page is not secure: browsers give it no camera",
		Meaning:   "A page opened by http:// from another machine has no navigator.mediaDevices.",
		Evidence:  "isSecureContext is false.",
		Fix:       "Open {url} instead.",
		Reproduce: "Serve the page by plain HTTP under an address of the network.",
	},

	{
		Code: SecretInBrowser, Scope: InUse, Side: Application, Severity: Warning,
		Title:     "A page of {origin} sends the server's secret, and whoever opens it can read that",
		Meaning:   "With OPENVIDU_SECRET, or a key, anybody can enter, listen to and end any session. A page cannot keep a secret: it belongs on a server of the application, which gives the page tokens.",
		Evidence:  "A REST call with right credentials, or a join by secret, that a browser has sent for a page (Origin, Sec-Fetch-Site).",
		Fix:       "Move the calls to a server and give the page tokens, then change it; the one before can stay valid until all are moved. STRICT=true refuses such calls.",
		Reproduce: "fetch('/openvidu/api/sessions', {headers: {Authorization: …}}) in a browser.",
	},

	{
		Code: ConfigInvalid, Scope: OnHost, Side: Server, Severity: Error,
		Title:     "The configuration cannot be used",
		Meaning:   "The server does not start; it exits with 78, which service managers do not retry.",
		Evidence:  "FILE:LINE, the setting and its value.",
		Fix:       "{remedy}",
		Reproduce: "HTTPS_PORT=high in .env.",
	}, {
		Code: PortTaken, Scope: OnHost, Side: Server, Severity: Error,
		Title:     "Another program has our port",
		Meaning:   "The server waits for it.",
		Evidence:  "Process {pid} ({command}) listens on {address}.",
		Fix:       "Stop it (kill {pid}), or set HTTPS_PORT to another port.",
		Reproduce: "nc -l 4443",
	}, {
		Code: AddressWrong, Scope: OnHost, Side: Server, Severity: Error,
		Title:     "The address clients are told is not this machine's",
		Meaning:   "Clients outside get no media.",
		Evidence:  "DOMAIN_OR_PUBLIC_IP={address}; interfaces {interfaces}; seen from outside {verified}.",
		Fix:       "Set DOMAIN_OR_PUBLIC_IP={verified}.",
		Reproduce: "DOMAIN_OR_PUBLIC_IP=203.0.113.99",
	}, {
		Code: DNSMismatch, Scope: OnHost, Side: Server, Severity: Error,
		Title:     "The domain does not lead here",
		Meaning:   "Browsers go elsewhere, and no certificate can be had.",
		Evidence:  "{domain} resolves to {found}; this machine is {verified}.",
		Fix:       "Change the A or AAAA record of {domain} to {verified}.",
		Reproduce: "A domain whose record has another address.",
	}, {
		Code: CertificateInvalid, Scope: OnHost, Side: Server, Severity: Error,
		Title:     "Browsers will refuse the certificate",
		Meaning:   "Pages and SDKs fail before they say anything of use.",
		Evidence:  "{what}",
		Fix:       "{remedy}",
		Reproduce: "An expired certificate, a missing intermediate, another name.",
	}, {
		Code: ClockSkewed, Scope: OnHost, Side: Server, Severity: Error,
		Title:     "This machine's clock is wrong",
		Meaning:   "TURN credentials and certificates are taken for expired, or for not yet valid.",
		Evidence:  "{seconds} s away from {source}.",
		Fix:       "timedatectl set-ntp true",
		Reproduce: "A time source that is two minutes ahead.",
	}, {
		Code: TURNFaulty, Scope: OnHost, Side: Server, Severity: Error,
		Title:     "TURN does not relay",
		Meaning:   "Participants behind strict firewalls cannot connect.",
		Evidence:  "{url}: {what}",
		Fix:       "{remedy}",
		Reproduce: "Wrong secret, blocked relay ports, expired certificate.",
	}, {
		Code: FDLimit, Scope: OnHost, Side: Server, Severity: Error,
		Title:     "Too few files may be open",
		Meaning:   "New participants are refused (503) before what runs is harmed.",
		Evidence:  "Limit {limit}, of which {used} are used; each participant takes one or two.",
		Fix:       "LimitNOFILE=65536 in the systemd unit, or ulimit -Hn 65536.",
		Reproduce: "ulimit -Hn 256",
	}, {
		Code: DiskLow, Scope: OnHost, Side: Server, Severity: Error,
		Title:     "The disk is nearly full",
		Meaning:   "Sessions can no longer be stored: calls go on, new sessions are refused.",
		Evidence:  "{free} MB free of {size} MB at {folder}.",
		Fix:       "Free space at {folder}, or move the data folder with --data.",
		Reproduce: "A data folder on a full tmpfs.",
	}, {
		Code: KernelBuffersSmall, Scope: OnHost, Side: Server, Severity: Warning,
		Title:     "The kernel's socket buffers are small",
		Meaning:   "Bursts of packets are lost in this machine before the server reads them.",
		Evidence:  "net.core.rmem_max={rmem}, net.core.wmem_max={wmem}.",
		Fix:       "sysctl -w net.core.rmem_max=8388608 net.core.wmem_max=8388608",
		Reproduce: "sysctl -w net.core.rmem_max=212992",
	}, {
		Code: GStreamerMissing, Scope: OnHost, Side: Server, Severity: Warning,
		Title:     "GStreamer is not complete",
		Meaning:   "Calls work; what transcodes, composes or filters media does not.",
		Evidence:  "Missing: {missing}.",
		Fix:       "apt-get install {packages}",
		Reproduce: "A machine without gstreamer1.0-plugins-good.",
	}, {
		Code: KnownIssue, Scope: OnHost, Side: Server, Severity: Warning,
		Title:     "This version has a known issue here",
		Meaning:   "{what}",
		Evidence:  "Version {version}; {condition}.",
		Fix:       "{remedy}",
		Reproduce: "A list of known issues that names this version.",
	}, {
		Code: ConfigDrift, Scope: OnHost, Side: Server, Severity: Warning,
		Title:     "The settings in force are not those of .env",
		Meaning:   "Somebody edited .env while the server runs. It goes on with what it had.",
		Evidence:  "{changes}",
		Fix:       "Take the edit over (POST /openvidu/api/restart, or a restart of the server), or put the file back: tertulia config undo.",
		Reproduce: "Add a line to .env of a running server and wait ten seconds.",
	},
}

// Of returns the row of a code; ok is false if there is none.
func Of(code Code) (f Fault, ok bool) {
	for i := range Catalogue {
		if Catalogue[i].Code == code {
			return Catalogue[i], true
		}
	}
	return Fault{}, false
}
