// Package diagnosis says why media does not flow.
//
// It begins with the catalogue (catalogue.go): every fault it can name, with the side that must act, the evidence it
// goes by and the remedy; docs/reference/diagnosis.md is made of it. Facts of the media node (wire/mediactl), events of
// the session and lines of the clients become entries on a session's timeline; detectors read them and add a [Record]
// when the catalogue has a name for what they see. Severity follows what people notice: a dead candidate beside
// flowing media is nothing.
//
// It imports event, wire/* and fault; never session, media, HTTP or Pion. Start at [Fault] and [Record].
package diagnosis
