package app

import (
	"strings"

	"github.com/spf13/cobra"
)

// regions lists the regions of AWS's public partitions with their names (partitions.json of 2026-11). It only helps
// completion: a region that is missing here is accepted too.
var regions = [...]string{
	"af-south-1\tAfrica (Cape Town)",
	"ap-east-1\tAsia Pacific (Hong Kong)",
	"ap-east-2\tAsia Pacific (Taipei)",
	"ap-northeast-1\tAsia Pacific (Tokyo)",
	"ap-northeast-2\tAsia Pacific (Seoul)",
	"ap-northeast-3\tAsia Pacific (Osaka)",
	"ap-south-1\tAsia Pacific (Mumbai)",
	"ap-south-2\tAsia Pacific (Hyderabad)",
	"ap-southeast-1\tAsia Pacific (Singapore)",
	"ap-southeast-2\tAsia Pacific (Sydney)",
	"ap-southeast-3\tAsia Pacific (Jakarta)",
	"ap-southeast-4\tAsia Pacific (Melbourne)",
	"ap-southeast-5\tAsia Pacific (Malaysia)",
	"ap-southeast-6\tAsia Pacific (New Zealand)",
	"ap-southeast-7\tAsia Pacific (Thailand)",
	"ca-central-1\tCanada (Central)",
	"ca-west-1\tCanada West (Calgary)",
	"cn-north-1\tChina (Beijing)",
	"cn-northwest-1\tChina (Ningxia)",
	"eu-central-1\tEurope (Frankfurt)",
	"eu-central-2\tEurope (Zurich)",
	"eu-north-1\tEurope (Stockholm)",
	"eu-south-1\tEurope (Milan)",
	"eu-south-2\tEurope (Spain)",
	"eu-west-1\tEurope (Ireland)",
	"eu-west-2\tEurope (London)",
	"eu-west-3\tEurope (Paris)",
	"eusc-de-east-1\tAWS European Sovereign Cloud (Germany)",
	"il-central-1\tIsrael (Tel Aviv)",
	"me-central-1\tMiddle East (UAE)",
	"me-south-1\tMiddle East (Bahrain)",
	"me-west-1\tMiddle East (Saudi Arabia)",
	"mx-central-1\tMexico (Central)",
	"sa-east-1\tSouth America (Sao Paulo)",
	"sa-west-1\tSouth America (Chile)",
	"us-east-1\tUS East (N. Virginia)",
	"us-east-2\tUS East (Ohio)",
	"us-gov-east-1\tAWS GovCloud (US-East)",
	"us-gov-west-1\tAWS GovCloud (US-West)",
	"us-west-1\tUS West (N. California)",
	"us-west-2\tUS West (Oregon)",
}

// CompleteRegions completes regions, those that the config file uses first.
func (a *App) CompleteRegions(_ *cobra.Command, _ []string, typed string) (
	[]cobra.Completion, cobra.ShellCompDirective,
) {
	names := make(map[string]string, len(regions))
	for _, r := range regions {
		id, name, _ := strings.Cut(r, "\t")
		names[id] = name
	}
	var found offers
	if cfg := a.readableConfig(); cfg != nil {
		for p := range cfg.Profiles() {
			if region := p.Get("region"); region != "" {
				found.add(typed, region, names[region])
			}
		}
	}
	for _, r := range regions {
		id, name, _ := strings.Cut(r, "\t")
		found.add(typed, id, name)
	}
	return found.list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
