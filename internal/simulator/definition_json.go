package simulator

// fieldV2 is a definition as v2 shows it. https://developers.pipedrive.com/docs/api/v1/DealFields#getDealFields
type fieldV2 struct {
	Name        string     `json:"field_name"`
	Code        string     `json:"field_code"`
	Description *string    `json:"description"`
	Type        fieldType  `json:"field_type"`
	Options     []optionV2 `json:"options"`   // null when there are none
	Subfields   []subfield `json:"subfields"` // likewise
	IsCustom    bool       `json:"is_custom_field"`
	IsOptional  bool       `json:"is_optional_response_field"`
}

type optionV2 struct {
	ID         any     `json:"id"` // a number; a word of some built-in fields
	Label      string  `json:"label"`
	Color      *string `json:"color"`
	AddTime    *string `json:"add_time"`
	UpdateTime *string `json:"update_time"`
}

type subfield struct {
	Code string    `json:"field_code"`
	Name string    `json:"field_name"`
	Type fieldType `json:"field_type"`
}

// fieldV1 is a definition as v1 shows it.
type fieldV1 struct {
	ID               int64      `json:"id"`
	Key              string     `json:"key"`
	Name             string     `json:"name"`
	OrderNr          int        `json:"order_nr"`
	Type             fieldType  `json:"field_type"`
	AddTime          *string    `json:"add_time"`
	UpdateTime       *string    `json:"update_time"`
	UpdatedBy        *int64     `json:"last_updated_by_user_id"`
	CreatedBy        *int64     `json:"created_by_user_id"`
	Active           bool       `json:"active_flag"`
	Edit             bool       `json:"edit_flag"` // a custom field
	BulkEdit         bool       `json:"bulk_edit_allowed"`
	Searchable       bool       `json:"searchable_flag"`
	FilteringAllowed bool       `json:"filtering_allowed"`
	Sortable         bool       `json:"sortable_flag"`
	Options          []optionV1 `json:"options"`
	OptionsDeleted   []optionV1 `json:"options_deleted,omitempty"`
	Mandatory        bool       `json:"mandatory_flag"`
}

type optionV1 struct {
	ID    any    `json:"id"`
	Label string `json:"label"`
}

func (f *definition) v2() fieldV2 {
	shown := fieldV2{Name: f.name, Code: f.key, Type: f.kind, IsCustom: f.isOurs}
	for _, o := range f.options {
		one := optionV2{ID: o.shownID(), Label: o.label, AddTime: timeText(o.added, layoutV2)}
		if o.color != "" {
			one.Color = &o.color
		}
		shown.Options = append(shown.Options, one)
	}
	for _, part := range f.kind.parts() {
		shown.Subfields = append(shown.Subfields, subfield{part, part + " of " + f.name, varchar})
	}
	return shown
}

func (f *definition) v1(order int) fieldV1 {
	shown := fieldV1{
		ID: f.n, Key: f.key, Name: f.name, OrderNr: order, Type: f.kind, Active: true, Edit: f.isOurs, BulkEdit: true,
		FilteringAllowed: true, Sortable: true, AddTime: timeText(f.added, layoutV1), UpdateTime: timeText(f.updated, layoutV1),
	}
	for _, o := range f.options {
		shown.Options = append(shown.Options, optionV1{o.shownID(), o.label})
	}
	for _, o := range f.removed {
		shown.OptionsDeleted = append(shown.OptionsDeleted, optionV1{o.shownID(), o.label})
	}
	return shown
}

func (o option) shownID() any {
	if o.word != "" {
		return o.word
	}
	return o.id
}

// parts are the members of a value that is an object.
func (k fieldType) parts() []string {
	switch k {
	case monetary:
		return []string{"value", "currency"}
	case daterange:
		return []string{"value", "until"}
	case timeOfDay:
		return []string{"value", "timezone_id", "timezone_name"}
	case timerange:
		return []string{"value", "until", "timezone_id", "timezone_name"}
	case address_:
		return append([]string{"value"}, addressParts...)
	}
	return nil
}

// timeText is a time as text, nil for never.
func timeText(at stamp, layout string) *string {
	if at == never {
		return nil
	}
	text := at.time().Format(layout)
	return &text
}
