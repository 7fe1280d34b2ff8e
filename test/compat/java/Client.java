// Every public method of openvidu-java-client against a running server, with what it must answer.
// Client URL SECRET SESSION PUBLISHER STREAM VIEWER: in the session two pages talk, PUBLISHER's stream is seen by VIEWER.
import io.openvidu.java.client.*;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

public class Client {
    interface Call {
        void run() throws Exception;
    }

    static void equal(String what, Object got, Object want) {
        if (!Objects.equals(got, want)) throw new AssertionError(what + " is " + got + ", want " + want);
    }

    static void that(String what, boolean so) {
        if (!so) throw new AssertionError(what);
    }

    /** The call is refused with this HTTP status. */
    static void refused(String what, int status, Call call) throws Exception {
        try {
            call.run();
        } catch (OpenViduHttpException e) {
            equal(what, e.getStatus(), status);
            return;
        }
        throw new AssertionError(what + " was not refused");
    }

    static List<String> ids(List<Session> sessions) {
        return sessions.stream().map(Session::getSessionId).collect(Collectors.toList());
    }

    static String url, secret;

    public static void main(String[] args) throws Exception {
        url = args[0];
        secret = args[1];
        OpenVidu openvidu = new OpenVidu(url, secret);
        sessions(openvidu);
        connections(openvidu);
        tokens(openvidu);
        recordings(openvidu);
        refused("a wrong secret", 401, () -> new OpenVidu(url, "wrong").createSession());
        live(openvidu, args[2], args[3], args[4], args[5]);
        System.out.println("done");
    }

    static void sessions(OpenVidu openvidu) throws Exception {
        RecordingProperties recording = new RecordingProperties.Builder().name("lesson").hasVideo(false).build();
        SessionProperties properties = new SessionProperties.Builder()
            .customSessionId("java").mediaMode(MediaMode.ROUTED).recordingMode(RecordingMode.MANUAL)
            .defaultRecordingProperties(recording).forcedVideoCodec(VideoCodec.VP9).allowTranscoding(true).build();
        Session session = openvidu.createSession(properties);
        equal("session id", session.getSessionId(), "java");
        that("createdAt", session.createdAt() > 0);
        equal("isBeingRecorded", session.isBeingRecorded(), false);
        equal("isBeingBroadcasted", session.isBeingBroadcasted(), false);
        equal("taken again", openvidu.createSession(properties).getSessionId(), "java");
        SessionProperties got = session.getProperties();
        equal("mediaMode", got.mediaMode(), MediaMode.ROUTED);
        equal("recordingMode", got.recordingMode(), RecordingMode.MANUAL);
        equal("forcedVideoCodec", got.forcedVideoCodec(), VideoCodec.VP9);
        equal("isTranscodingAllowed", got.isTranscodingAllowed(), true);
        equal("default recording", got.defaultRecordingProperties().name(), "lesson");
        equal("default recording's video", got.defaultRecordingProperties().hasVideo(), false);
        equal("from a map", SessionProperties.fromJson(Map.of("customSessionId", "java")).build().customSessionId(), "java");

        Session other = openvidu.createSession();
        OpenVidu watcher = new OpenVidu(url, secret);
        that("first fetch changes", watcher.fetch());
        that("second does not", !watcher.fetch());
        that("listed", ids(watcher.getActiveSessions()).containsAll(List.of("java", other.getSessionId())));
        equal("by id", watcher.getActiveSession("java").getSessionId(), "java");
        equal("fetched codec", watcher.getActiveSession("java").getProperties().forcedVideoCodec(), VideoCodec.VP9);
        that("session fetch", !session.fetch());
        other.close();
        session.close();
        that("fetch after close", watcher.fetch());
        that("gone", !ids(watcher.getActiveSessions()).contains("java"));
        equal("gone by id", watcher.getActiveSession("java"), null);
        refused("closed twice", 404, session::close);
        refused("fetch of a closed one", 404, session::fetch);
        refused("createConnection of a closed one", 404, session::createConnection);
        refused("a bad id", 400, () -> openvidu.createSession(new SessionProperties.Builder().customSessionId("no good").build()));
    }

    static void connections(OpenVidu openvidu) throws Exception {
        Session session = openvidu.createSession();
        KurentoOptions limits = new KurentoOptions.Builder()
            .videoMaxRecvBandwidth(500).videoMinRecvBandwidth(100).videoMaxSendBandwidth(400).videoMinSendBandwidth(50)
            .allowedFilters(new String[] {"GStreamerFilter"}).build();
        IceServerProperties ice = new IceServerProperties.Builder().url("turn:192.0.2.1:3478").username("u").credential("c").build();
        Connection made = session.createConnection(new ConnectionProperties.Builder()
            .type(ConnectionType.WEBRTC).data("from the app").record(false).role(OpenViduRole.MODERATOR)
            .kurentoOptions(limits).addCustomIceServer(ice).build());
        that("connection id", made.getConnectionId().startsWith("con_"));
        equal("status", made.getStatus(), "pending");
        equal("type", made.getType(), ConnectionType.WEBRTC);
        equal("role", made.getRole(), OpenViduRole.MODERATOR);
        equal("data", made.getServerData(), "from the app");
        equal("record", made.record(), false);
        that("createdAt", made.createdAt() > 0);
        equal("activeAt", made.activeAt(), null);
        equal("location", made.getLocation(), null);
        equal("ip", made.getIp(), null);
        equal("platform", made.getPlatform(), null);
        equal("clientData", made.getClientData(), null);
        equal("rtspUri", made.getRtspUri(), null);
        equal("adaptativeBitrate", made.adaptativeBitrate(), null);
        equal("onlyPlayWithSubscribers", made.onlyPlayWithSubscribers(), null);
        equal("networkCache", made.getNetworkCache(), null);
        equal("ICE servers", made.getCustomIceServers().get(0).getUrl(), "turn:192.0.2.1:3478");
        that("token", made.getToken().contains("sessionId=" + session.getSessionId() + "&token=tok_"));
        equal("publishers", made.getPublishers(), List.of());
        equal("subscribers", made.getSubscribers(), List.of());

        that("fetch", !session.fetch());
        equal("connections", session.getConnections().size(), 1);
        equal("active ones", session.getActiveConnections().size(), 0);
        equal("by id", session.getConnection(made.getConnectionId()).getToken(), made.getToken());
        Connection changed = session.updateConnection(made.getConnectionId(),
            new ConnectionProperties.Builder().role(OpenViduRole.SUBSCRIBER).record(true).build());
        equal("changed role", changed.getRole(), OpenViduRole.SUBSCRIBER);
        equal("changed record", changed.record(), true);
        refused("update of nobody", 404, () -> session.updateConnection("con_nobody", new ConnectionProperties.Builder().record(true).build()));
        session.forceDisconnect(made);
        equal("connections after", session.getConnections().size(), 0);
        refused("disconnected twice", 404, () -> session.forceDisconnect(made.getConnectionId()));

        Connection plain = session.createConnection();
        equal("default role", plain.getRole(), OpenViduRole.PUBLISHER);
        equal("default record", plain.record(), true);
        session.forceDisconnect(plain.getConnectionId());
        session.close();
    }

    static void tokens(OpenVidu openvidu) throws Exception {
        Session session = openvidu.createSession();
        that("token", session.generateToken().startsWith("wss://"));
        KurentoOptions limits = new KurentoOptions.Builder().videoMaxRecvBandwidth(300).build();
        String token = session.generateToken(new TokenOptions.Builder().role(OpenViduRole.MODERATOR).data("old").kurentoOptions(limits).build());
        that("fetch", session.fetch());
        Connection made = session.getConnections().stream().filter(c -> token.equals(c.getToken())).findFirst().orElseThrow();
        equal("role", made.getRole(), OpenViduRole.MODERATOR);
        equal("data", made.getServerData(), "old");
        session.close();
    }

    static void recordings(OpenVidu openvidu) throws Exception {
        String id = openvidu.createSession().getSessionId();
        refused("startRecording", 501, () -> openvidu.startRecording(id));
        refused("startRecording with a name", 501, () -> openvidu.startRecording(id, "lesson"));
        refused("startRecording with properties", 501, () -> openvidu.startRecording(id, new RecordingProperties.Builder().name("x").build()));
        refused("stopRecording", 501, () -> openvidu.stopRecording("x"));
        refused("getRecording", 501, () -> openvidu.getRecording("x"));
        refused("listRecordings", 501, openvidu::listRecordings);
        refused("deleteRecording", 501, () -> openvidu.deleteRecording("x"));
    }

    static void live(OpenVidu openvidu, String id, String publisher, String stream, String viewer) throws Exception {
        that("fetch", openvidu.fetch());
        Session session = openvidu.getActiveSession(id);
        equal("active", session.getActiveConnections().size(), 2);
        Connection from = session.getConnection(publisher), to = session.getConnection(viewer);
        equal("status", from.getStatus(), "active");
        that("activeAt", from.activeAt() >= from.createdAt());
        that("platform", from.getPlatform().contains("Chrome"));
        that("ip", from.getIp() != null && !from.getIp().isEmpty());
        that("location", from.getLocation() != null);
        equal("client data", from.getClientData(), "{\"who\":0}");
        equal("publishers", from.getPublishers().size(), 1);
        Publisher shown = from.getPublishers().get(0);
        equal("stream", shown.getStreamId(), stream);
        that("stream's createdAt", shown.createdAt() > 0);
        equal("hasAudio", shown.hasAudio(), true);
        equal("hasVideo", shown.hasVideo(), true);
        equal("audioActive", shown.isAudioActive(), true);
        equal("videoActive", shown.isVideoActive(), true);
        equal("typeOfVideo", shown.getTypeOfVideo(), "CUSTOM");
        that("videoDimensions", shown.getVideoDimensions().contains("320"));
        that("frameRate, null until it is measured", shown.getFrameRate() == null || shown.getFrameRate() >= 0);
        equal("subscribers", to.getSubscribers(), List.of(stream));

        session.updateConnection(viewer, new ConnectionProperties.Builder().role(OpenViduRole.SUBSCRIBER).build());
        session.forceUnpublish(shown);
        equal("publishers after", session.getConnection(publisher).getPublishers().size(), 0);
        refused("unpublished twice", 404, () -> session.forceUnpublish(stream));
        session.forceDisconnect(to);
        session.fetch();
        equal("left", session.getActiveConnections().size(), 1);
        session.close();
        equal("closed", openvidu.getActiveSession(id), null);
    }
}
