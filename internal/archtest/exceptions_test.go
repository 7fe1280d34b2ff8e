package archtest

// exceptions are the findings that stand, each with its reason. An entry without a finding fails the test.
var exceptions = []exception{}

type exception struct {
	rule   string // the rule's name, as in its test's report
	at     string // the finding's place, as printed
	reason string
}
