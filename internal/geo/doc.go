// Package geo says where an address is, by a database in MaxMind's format (GeoLite2-City, or one of that shape), in the
// words of OpenVidu Pro: "City, Country". It owns the file GEO_DATABASE and reads it anew when it has changed. It sends
// nothing anywhere.
//
// It imports fault. Start at [Database.Locate].
package geo
