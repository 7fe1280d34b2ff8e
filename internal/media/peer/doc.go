// Package peer is the WebRTC endpoint: ICE-lite responder, DTLS, SRTP, RTCP, without webrtc.PeerConnection.
//
// A [Shard] is one goroutine ([Shard.Run]) that owns a socket, every [Endpoint] on it, their tracks, receivers and
// forwarders, and all timers; everybody else hands it messages ([Shard.Do], mailbox.go). A packet's way in: loop.go
// (packet) → ice.go, dtls.go, rtp.go or rtcp.go → media/receive → the track; out at the end of the turn: media/forward →
// transport.go (egress) → media/seal → outbox.go.
// Negotiation: negotiate.go and plan.go, on the caller's goroutine; only its result is handed to the shard.
//
// [Shards] are several of them on one port, each with a socket. An endpoint belongs to one for life; a [Group] keeps those
// of a session together in blocks (placement.go). What has to cross is collected per batch and handed over as one parcel
// per shard, with one lock and one wake-up (crossing.go):
//
//   - datagrams, since the kernel chooses the socket by addresses: a check's username tells its owner, and verified checks
//     alone make routes for the rest (route.go). TestMediaCrossesShards, TestTheKernelChoosesTheSocket,
//     TestAnotherSocketReadsAClient, TestForgedChecksDoNotCross, TestSpoofedCheckInstallsNoRoute,
//     TestAnAddressIsHeldAcrossShards, TestTheFirstClaimIsRouted, TestRoutesAreBounded,
//     TestAClientOfAFormerProcessIsToldAtOnce; ICE-TCP and relays likewise: TestTCPOnShards, TestRelayOnShards,
//     TestAProvenTCPConnectionStays, TestAClosedLinkIsNotClaimed
//   - a track's packets, once for all viewers of a shard, to its mirror there (mirror.go), which has the track's clock and a
//     cache of its own: TestAPacketCrossesOnce, TestNACKIsAnsweredHere, TestWishesForKeyFramesCrossOnce,
//     TestReportsAgreeAcrossShards, TestSoundAndPictureStayInStep, TestMirrorsFollowTheSource,
//     TestPublisherReconnectsAcrossShards, TestLateJoinAcrossShards
//   - within limits, without allocation, and not longer than someone needs it: TestASlowShardLosesPackets,
//     TestHandOverAllocatesNothing, TestCrossingsEnd, TestAMirrorIsLeftWithPacketsOnTheirWay, TestTheEndDuringHandOver
//
// What PeerConnection did, and the test that shows we do:
//
//   - the certificate's fingerprint is verified before keys are used: TestWrongFingerprint
//   - SRTP and SRTCP replay window of 1024: TestReplayedMedia
//   - a source address is ours only after a request with verified MESSAGE-INTEGRITY: TestSpoofedCheck
//   - role conflict, nomination, several addresses per endpoint: TestRoleConflict, TestNewestNominationWins,
//     TestAddressThatChanged
//   - payload type, extension ids, MID and SSRC per subscriber: TestPayloadTypesDiffer
//   - SSRC, sequence and timestamp go on when the publisher comes back: TestPublisherReconnects
//   - consent expires after 30 s and revives: TestConsent, TestRevivalAfterALongPause
//   - our last DTLS flight is repeated until the client has it: TestLastFlightIsLost
//   - rollover counts of media and RTX, and SRTCP's index: TestRollover, TestRolloverOfRTX, TestSRTCPIndex
//   - RTCP compounds with CNAME, BYE at the end: TestReports
//   - NACK, RTX, PLI, FIR: TestLossIsRepaired, TestLateJoinAtAnyMoment
//   - undeclared SSRCs by MID and payload type, and SSRCs that change: TestUndeclaredSource, TestSSRCChanges; their number
//     has a limit: TestSSRCsAreBounded
//   - ICE-TCP and relays: TestTCP, TestRelay
//   - statistics: TestStats
//   - AV1, PCMU and PCMA, in both ways of offering: TestAV1AndG711Flow
//
// What it did not, and people look for when media does not flow:
//
//   - facts of an endpoint, for diagnosis (facts.go, notes.go): TestFactsOfACall, TestFactsOfLoss, TestFactsBeforeTheClient,
//     TestFactsOfWrongCredentials, TestFactsOfWrongPasswordsCross, TestFactsOf, TestMoves; counted by path (census.go):
//     TestPathsAreCounted
//   - the address that a client's signalling reached us by is a candidate: TestFAQ_01__NATWithoutConfiguration,
//     TestFAQ_01__ReachedCandidates
//   - a client on TCP or a relay gets back to UDP when that opens, though its browser gave UDP up (again.go): TestBackToUDP,
//     TestUDPIsOfferedAgain
//   - the frame rate that a publisher's video really has, told when it changes (framerate.go): TestLOSS_22__MeasuredOnTheWay,
//     TestFrameRateIsToldWhenItIsSteady
//   - descriptions that were mangled on their way connect, or are refused by name: TestKMS_18b__MangledOffersConnect
//   - answers leave from the address their checks came to, in either family: TestEveryAddressAnswersForItself,
//     TestEitherFamily
//
// What an endpoint costs, and the test that keeps it so (BenchmarkEndpoint measures it with clients in a process of
// their own):
//
//   - heap, objects, goroutines once connected: TestEndpointBudget; DTLS is gone: TestProvenDTLSIsGarbage,
//     TestProofThatOvertakes, TestUnprovenDTLSIsReleased; so is the client's description: TestNothingKeepsTheOffer
//   - an idle second allocates nothing (wheel.go, answer.go, compound.go): TestIdleAllocates, TestSilentPublisherRests
//   - reports are spread over the second: TestBeatsAreSpread
//
// Absent, and so not promised in any description: simulcast (rid is parsed, not negotiated) and data channels
// (m=application is rejected).
//
// It imports media, media/sdp, media/socket, media/receive, media/forward, media/congestion and fault; never session,
// pipeline or api. Start reading at [Shard.Run], [Endpoint.AcceptPublish] and, for the crossing, mirror.go.
package peer
