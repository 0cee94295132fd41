package simulator

import "strconv"

var (
	firstNames = []string{
		"Aino", "Anders", "Beatriz", "Bruno", "Carmen", "Cecilia", "Daniel", "Dmitri", "Elena", "Emil", "Fatima",
		"Felix", "Grace", "Gustav", "Hanna", "Henrik", "Ida", "Ivan", "Jana", "Jonas", "Katrin", "Kenji", "Laura",
		"Liam", "Maja", "Marek", "Nadia", "Noah", "Olga", "Oskar", "Paula", "Pierre", "Rosa", "Ruben", "Sofia",
		"Stefan", "Tamara", "Tomas", "Ulla", "Viktor", "Wanda", "Yusuf", "Zoe", "Zoltan",
	}
	lastNames = []string{
		"Abelson", "Almeida", "Bakker", "Bergman", "Castillo", "Cohen", "Dahl", "Dubois", "Eriksen", "Farkas",
		"Fischer", "Garcia", "Greene", "Haas", "Ivanova", "Jansen", "Kaur", "Keller", "Kovacs", "Kuusk", "Lindqvist",
		"Lopez", "Marino", "Moreau", "Nakamura", "Novak", "Okafor", "Olsen", "Pereira", "Popescu", "Quinn", "Rossi",
		"Saar", "Schmidt", "Silva", "Tamm", "Torres", "Urban", "Vasquez", "Virtanen", "Weber", "Young", "Zimmer",
	}
	firmWords = []string{
		"Amber", "Baltic", "Cobalt", "Delta", "Evergreen", "Falcon", "Granite", "Harbor", "Indigo", "Juniper",
		"Kestrel", "Lumen", "Meridian", "Nordic", "Orchard", "Pioneer", "Quartz", "Raven", "Summit", "Timber",
		"Umbra", "Vertex", "Willow", "Xenon", "Yarrow", "Zephyr",
	}
	firmTrades = []string{
		"Analytics", "Bakeries", "Construction", "Consulting", "Electronics", "Foods", "Freight", "Furniture",
		"Insurance", "Labs", "Logistics", "Machinery", "Media", "Optics", "Packaging", "Pharma", "Robotics",
		"Software", "Solar", "Textiles",
	}
	firmForms  = []string{"GmbH", "Ltd", "Inc", "AB", "Oy", "SA", "BV", "AS", "LLC", "SpA"}
	dealKinds  = []string{"annual licence", "renewal", "pilot", "expansion", "support contract", "migration", "training", "hardware refresh", "framework agreement"}
	jobTitles  = []string{"Head of Sales", "Procurement Manager", "CTO", "Office Manager", "Managing Director", "Buyer", "Operations Lead"}
	lostWords  = []string{"Price too high", "No answer", "Chose a competitor", "Project cancelled", "No budget this year"}
	streets    = []string{"Mill Lane", "Station Road", "Harbour Street", "Church Street", "Park Avenue", "Market Square", "River Walk", "School Lane", "Castle Hill", "Linden Alley"}
	callTopics = []string{"Pricing question", "Demo follow-up", "Contract details", "Introduction", "Invoice question"}
	goods      = []string{"Desk lamp", "Conference kit", "Onboarding package", "Service hour", "Sensor module", "Licence seat", "Backup plan", "Field manual"}
	stageNames = []string{"Qualified", "Contact made", "Demo scheduled", "Proposal made", "Negotiations started"}
	pipeNames  = []string{"Sales pipeline", "Partner pipeline", "Renewals", "Enterprise", "Online shop"}
	typeNames  = []string{"Call", "Meeting", "Task", "Deadline", "Email", "Lunch"}
	sentences  = []string{
		"Asked for an offer that covers all three sites.", "Wants delivery before the end of the quarter.",
		"The current contract ends in spring and will not be extended.", "Two other suppliers are being compared.",
		"Legal has to look at the terms of payment.", "Prefers to be called in the morning.",
		"The pilot went well, the team is asking for more seats.", "Budget is approved in principle.",
		"Needs references from the same trade.", "Decision is expected after the board meeting.",
	}
	// locality, country, first administrative area, first digits of the postal code
	places = [][4]string{
		{"Tallinn", "Estonia", "Harju maakond", "10"},
		{"Helsinki", "Finland", "Uusimaa", "00"},
		{"Hamburg", "Germany", "Hamburg", "20"},
		{"München", "Germany", "Bayern", "80"},
		{"Zürich", "Switzerland", "Zürich", "80"},
		{"Lyon", "France", "Auvergne-Rhône-Alpes", "69"},
		{"Porto", "Portugal", "Porto", "41"},
		{"Utrecht", "Netherlands", "Utrecht", "35"},
		{"Austin", "United States", "Texas", "78"},
		{"Denver", "United States", "Colorado", "80"},
		{"Leeds", "United Kingdom", "England", "15"},
		{"Toronto", "Canada", "Ontario", "43"},
	}
)

func (s *seeds) name(object string, n int64, part uint64, words []string) string {
	return pick(words, mix(s.seed^s.salts[object]^mix(uint64(n))^part<<40))
}

func (s *seeds) firstName(object string, n int64) string { return s.name(object, n, 1, firstNames) }
func (s *seeds) lastName(object string, n int64) string  { return s.name(object, n, 2, lastNames) }

func (s *seeds) fullName(object string, n int64) string {
	return s.firstName(object, n) + " " + s.lastName(object, n)
}

func (s *seeds) firmName(n int64) string {
	const orgs = "organizations"
	return s.name(orgs, n, 1, firmWords) + " " + s.name(orgs, n, 2, firmTrades) + " " + s.name(orgs, n, 3, firmForms)
}

// domain is the firm's, under a name that can belong to nobody.
func (s *seeds) domain(n int64) string {
	return asciiLower(s.name("organizations", n, 1, firmWords)) + "-" + strconv.FormatInt(n, 10) + ".example"
}

// dealTitle is that of a deal or a lead: the firm it is with, and what it is about.
func (s *seeds) dealTitle(object string, n int64) string {
	kind := s.name(object, n, 1, dealKinds)
	if org := s.refNumber("organizations", s.rollOf(object, n, rollOrg)); org != 0 {
		return s.firmName(org) + " " + kind
	}
	return s.name(object, n, 2, lastNames) + " " + kind
}

func asciiLower(word string) string {
	b := []byte(word)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// address appends the value of an address field, spread as REST v2 does.
func address(b []byte, d *draw) []byte {
	roll := d.roll(rollPlace ^ d.k<<8)
	at := places[roll%uint64(len(places))]
	street := pick(streets, roll>>8)
	house := strconv.FormatUint(1+roll>>16%180, 10)
	code := at[3] + strconv.FormatUint(100+roll>>32%900, 10)
	line := street + " " + house + ", " + code + " " + at[0] + ", " + at[1]
	for i, pair := range [...][2]string{
		{"value", line},
		{"country", at[1]},
		{"admin_area_level_1", at[2]},
		{"admin_area_level_2", ""},
		{"locality", at[0]},
		{"sublocality", ""},
		{"route", street},
		{"street_number", house},
		{"subpremise", ""},
		{"postal_code", code},
		{"formatted_address", line},
	} {
		b = append(b, "{,"[min(i, 1)])
		b = append(appendWord(b, pair[0]), ':')
		if pair[1] == "" {
			b = append(b, "null"...)
		} else {
			b = appendWord(b, pair[1])
		}
	}
	return append(b, '}')
}
