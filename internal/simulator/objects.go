package simulator

import "slices"

// object is one row of what an account holds.
type object struct {
	name    string
	ids     idForm
	layout  string // of its own times
	added   string // field of the time of creation
	updated string // field of the time of the last change; "" when it has none

	columns  []column      // in the order in which Pipedrive writes them
	custom   []customField // those that the account has at the beginning
	fieldsOf string        // the object whose custom fields it has; "" for none
	rooted   bool          // custom fields stand beside the others, those without a value are left out (v1)
	seeded   func(*Options) int
	born     int // so many of the first seeded records have update_time null, as in a new account

	v1      bool
	lingers bool    // deleted records stay listed for 30 days, for those who ask with status=deleted; others vanish at once
	missing failure // what a GET of an unknown id says
	news    *news   // nil: it has no webhooks
}

// objects are all there are; no other place in this package asks for one by name.
var objects = slices.Concat(crmObjects, salesObjects, workObjects, companyObjects)
