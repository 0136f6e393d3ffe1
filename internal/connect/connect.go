// Package connect gives the use cases of a run what they need to reach IAM Identity Center: a client for a session, a
// renewer of its token, the credentials of a role.
package connect

import (
	"context"
	"net/http"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

// connection is a way to the service for one session.
type connection struct {
	Client   *idc.Client
	StartURL string // as the service knows it, a vanity address resolved
	Region   string
	Known    func(host string) bool // whether a sign-in may lead to a host
}

// To prepares a client for s: vanity address, region carried by the host, endpoints, proxies. Nothing but the
// vanity address is looked up.
func To(ctx context.Context, a *app.App, s session.Session) (connection, error) {
	if err := idc.ValidStartURL(s.StartURL); err != nil {
		return connection{}, &fault.Error{
			Kind: fault.Config, Msg: s.InWords() + ": " + err.Error(), Remedy: a.Configure(s), Err: err,
		}
	}
	settings := a.Settings()
	httpClient, err := HTTPClient(a)
	if err != nil {
		return connection{}, err
	}
	c := connection{StartURL: Resolve(ctx, a, httpClient, s.StartURL), Region: s.Region}
	if region := idc.RegionOf(c.StartURL); region != "" {
		c.Region = region
	}
	endpoints, err := idc.ResolveEndpoints(settings, c.StartURL)
	if err != nil {
		return connection{}, err
	}
	c.Known = func(host string) bool { return endpoints.Known(host, c.Region, s.StartURL, c.StartURL) }
	c.Client = idc.New(idc.Options{
		Region: c.Region, Endpoints: endpoints, HTTPClient: httpClient, UserAgent: "homing/" + app.Version(),
		Log: a.UI.Logger(),
	})
	return c, nil
}

// Resolve follows a vanity start URL, once a run.
func Resolve(ctx context.Context, a *app.App, client *http.Client, startURL string) string {
	if known, ok := a.Resolved[startURL]; ok {
		return known
	}
	if a.Resolved == nil {
		a.Resolved = map[string]string{}
	}
	a.Resolved[startURL] = idc.ResolveVanity(ctx, client, startURL)
	return a.Resolved[startURL]
}

// HTTPClient returns the one client of this run.
func HTTPClient(a *app.App) (*http.Client, error) {
	if a.HTTP != nil {
		return a.HTTP, nil
	}
	transport := a.Env.Transport
	if transport == nil {
		t, err := idc.Transport(a.Settings())
		if err != nil {
			return nil, err
		}
		transport = t
	}
	a.HTTP = &http.Client{Transport: transport}
	return a.HTTP, nil
}

// AsConfigured is To without a network: it takes a vanity address as it is written. That is enough to find out which
// service a recorded refusal came from, unless such an address leads to a dual-stack portal; then the record does not
// count.
func AsConfigured(ctx context.Context, a *app.App, s session.Session) (connection, error) {
	offline := *a
	offline.Resolved = map[string]string{s.StartURL: s.StartURL}
	if known, ok := a.Resolved[s.StartURL]; ok {
		offline.Resolved[s.StartURL] = known
	}
	c, err := To(ctx, &offline, s)
	a.HTTP = offline.HTTP
	return c, err
}
