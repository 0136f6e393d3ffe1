package answer

import "testing"

// The accepted regions cover every partition: aws, aws-cn, aws-us-gov, aws-eusc and the four isolated ones.
func TestCheckRegion(t *testing.T) {
	t.Parallel()
	for _, region := range []string{
		"us-east-1", "ap-southeast-7", "mx-central-1", "il-central-1", "cn-northwest-1", "us-gov-west-1",
		"eusc-de-east-1", "us-iso-east-1", "us-isob-west-1", "eu-isoe-west-1", "us-isof-south-1", "eu-central-12",
	} {
		if problem := CheckRegion(region); problem != "" {
			t.Errorf("%s: %s", region, problem)
		}
	}
	for _, region := range []string{
		"", "eu-west-1a", "eu-west", "west-1", "Eu-west-1", "eu-west-1-", "eu--1", "uswest-1", "eu-west-1-2",
		"eu_west_1", "eu-west-1 ", "-west-1",
	} {
		if CheckRegion(region) == "" {
			t.Errorf("%q is accepted", region)
		}
	}
}
