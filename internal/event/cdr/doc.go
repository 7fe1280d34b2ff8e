// Package cdr writes events to files, one line each, as openvidu-server 2.32.1 does (logback-spring.xml,
// CDRLoggerFile.java): CDR.<day>_<time of the start>.log, a new one for each day, the oldest deleted.
//
// It owns names, lines and deletion; which event is next is the affair of whoever calls [Writer.Take] (cluster/stream).
// It imports wire/openvidu and fault. Start at [Writer.Take].
package cdr
