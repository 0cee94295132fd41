package simulator

import (
	"slices"
	"strings"
)

// customField is one that an account has from the beginning.
type customField struct {
	name string
	kind fieldType
}

// definition is what is known of a field. https://developers.pipedrive.com/docs/api/v1/DealFields
type definition struct {
	n       int64 // numbers the fields of an object, deleted ones too; their lists are in this order
	key     string
	name    string
	kind    fieldType
	isOurs  bool // a custom field
	options []option
	removed []option
	added   stamp // never for built-in fields
	updated stamp

	drawn []int64 // the options that seeded records chose from, though they may have been removed since
	roll  uint64  // of the values of seeded records
	late  bool    // it came after the seeded records, which have no value
}

// option is one of the choices of a field.
type option struct {
	id    int64
	word  string // instead of an id, for some of the built-in fields
	label string
	color string // "" for none
	added stamp
}

// definitions are the fields of one object.
type definitions struct {
	all        []*definition
	ours       []*definition // those of them that are custom fields
	ever       int64         // how many there have been
	everOurs   uint64
	nextOption int64
}

func (d *definitions) add(f *definition) *definition {
	d.ever++
	f.n = d.ever
	d.all = append(d.all, f)
	if f.isOurs {
		d.everOurs++
		d.ours = append(d.ours, f)
	}
	return f
}

func (d *definitions) remove(f *definition) {
	same := func(other *definition) bool { return other == f }
	d.all, d.ours = slices.DeleteFunc(d.all, same), slices.DeleteFunc(d.ours, same)
}

// addCustom makes a custom field with its own key, and options of the labels.
func (s *seeds) addCustom(obj *object, c customField, now stamp, labels ...string) *definition {
	d := s.definitions[obj.name]
	f := d.add(&definition{
		key: hex(s.seed, "field "+obj.name, d.everOurs, 40), name: c.name, kind: c.kind, isOurs: true,
		added: now, updated: now, roll: rollCustom + d.everOurs,
	})
	for _, label := range labels {
		d.addOption(f, label, now)
	}
	return f
}

func (d *definitions) addOption(f *definition, label string, now stamp) int64 {
	id := d.nextOption
	d.nextOption++
	f.options = append(f.options, option{id: id, label: label, color: optionColors[int(id)%len(optionColors)], added: now})
	return id
}

// What seeded options are called and look like.
var (
	optionColors = []string{"", "green", "blue", "red", "yellow", "purple"}

	enumLabels = []string{"Bronze", "Silver", "Gold", "Platinum", "On hold", "Trial", "Partner", "Internal"}
	setLabels  = []string{"North", "South", "East", "West", "Coast", "Inland", "Islands", "Overseas"}
)

const firstOption = 10

// define makes the fields of every object that has a list of them: the built-in ones with custom ones between them, so
// that nobody takes a part of the list for the whole.
func (s *seeds) define() {
	for _, l := range fieldLists {
		if _, done := s.definitions[l.object]; done {
			continue
		}
		obj := s.objects[l.object]
		s.definitions[obj.name] = &definitions{nextOption: firstOption}
		ours := obj.custom
		if s.opts.NoCustomFields {
			ours = nil
		}
		for i, c := range obj.columns {
			if c.name != customKey {
				s.definitions[obj.name].add(builtIn(c.name))
			}
			if i%2 == 1 && len(ours) > 0 {
				s.defineSeeded(obj, ours[0])
				ours = ours[1:]
			}
		}
		for _, c := range ours {
			s.defineSeeded(obj, c)
		}
	}
}

func (s *seeds) defineSeeded(obj *object, c customField) {
	labels := map[fieldType][]string{enum: enumLabels, set: setLabels}[c.kind]
	f := s.addCustom(obj, c, s.oldest, labels...)
	for _, o := range f.options {
		f.drawn = append(f.drawn, o.id)
	}
}

// builtIn is the definition of a field that every account has. It is called what its key says.
func builtIn(key string) *definition {
	f := &definition{
		key: key, name: strings.ToUpper(key[:1]) + strings.ReplaceAll(key[1:], "_", " "), kind: varchar,
		added: never, updated: never,
	}
	for kind, keys := range builtInKinds {
		if has(keys, key) {
			f.kind = kind
		}
	}
	f.options = slices.Clone(builtInOptions[key])
	return f
}

// The types of built-in fields that are no varchar. https://developers.pipedrive.com/docs/api/v1/DealFields
var builtInKinds = map[fieldType]string{
	"int":        "id creator_user_id order_nr",
	user:         "owner_id",
	people:       "person_id",
	org:          "org_id",
	"stage":      "stage_id",
	"deal":       "deal_id",
	"status":     "status",
	"visible_to": "visible_to",
	set:          "label_ids",
	double:       "probability tax",
	monetary:     "value annual_revenue",
	address_:     "address postal_address location",
	date:         "add_time update_time due_date expected_close_date birthday start_date end_date",
	timeOfDay:    "due_time duration",
	"picture":    "picture_id",
	"boolean":    "is_deleted is_archived done busy",
}

var builtInOptions = map[string][]option{
	"status": {
		{word: "open", label: "Open", added: never},
		{word: "won", label: "Won", added: never},
		{word: "lost", label: "Lost", added: never},
		{word: "deleted", label: "Deleted", added: never},
	},
	"visible_to": {
		{id: 1, label: "Item owner", added: never}, {id: 3, label: "All users", added: never},
	},
	"label_ids": {
		{id: 4, label: "Hot", color: "red", added: never}, {id: 9, label: "Cold", color: "blue", added: never},
	},
}
