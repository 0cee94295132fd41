package simulator

// What webhooks tell of which object. Files and call logs have none; archived records tell as the others do.
// https://pipedrive.readme.io/docs/guide-for-webhooks-v2
var (
	dealNews = &news{
		entity: "deal", v1: "deal", data: dealV2, current: dealV1, rest: dealRESTv1,
		quiet: []string{"update_time", "stage_change_time"}, loud: "status", fresh: []string{"update_time"},
	}
	personNews = &news{entity: "person", v1: "person", data: personV2, current: personV1, rest: personRESTv1, quiet: []string{"update_time"}}

	organizationNews = &news{
		entity: "organization", v1: "organization", data: organizationV2, current: organizationV1, rest: organizationRESTv1,
		quiet: []string{"update_time"},
	}
	leadNews     = &news{entity: "lead", data: leadV2}
	activityNews = &news{entity: "activity", v1: "activity", data: activityV2, current: activityV1, rest: activityRESTv1}
	productNews  = &news{entity: "product", v1: "product", data: productV2, current: productV1, rest: productRESTv1}
	pipelineNews = &news{entity: "pipeline", v1: "pipeline", data: pipelineV2, current: pipelineV1, rest: pipelineRESTv1}
	stageNews    = &news{entity: "stage", v1: "stage", data: stageV2, current: stageV1, rest: stageRESTv1}
	noteNews     = &news{entity: "note", v1: "note", data: noteV2}
	userNews     = &news{entity: "user", v1: "user", data: userV2, quiet: []string{"modified"}, person: true}
	projectNews  = &news{entity: "project", data: projectV2}
	taskNews     = &news{entity: "task"}

	activityTypeNews = &news{v1: "activityType"}
)
