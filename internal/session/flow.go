package session

// Flow is the grant that a sign-in uses, by the name that --flow has for it.
type Flow string

// The flows.
const (
	// Authorization code with PKCE (RFC 7636, 8252): the browser is redirected to a listener here.
	PKCE   Flow = "pkce"
	Device Flow = "device" // device code (RFC 8628): any browser anywhere, and no redirect

	// Auto leaves the choice to homing. It is a value of flags and settings; no sign-in has it.
	Auto Flow = "auto"
)

// Known reports whether f is one of the flows.
func (f Flow) Known() bool { return f == PKCE || f == Device || f == Auto }

// Channel is the way that a sign-in was completed, or could be.
type Channel string

// The channels. The first four bring the redirect to the listener without a paste.
const (
	Loopback Channel = "loopback" // the browser reaches the listener by itself
	Tunnel   Channel = "tunnel"   // the editor forwards the port that it finds in redirect_uri
	Forward  Channel = "forward"  // a person forwards the port, with a command on the machine that has the browser
	Swap     Channel = "swap"     // a person replaces the host in the address bar of the page that failed to load

	Paste      Channel = "paste"    // a person pastes the address of that page into the terminal
	Callback   Channel = "callback" // a person passes that address to homing callback in another shell
	DeviceCode Channel = "device"   // a person approves a device code
	Cached     Channel = "cached"   // nothing had to be done: the token is good
	Renewed    Channel = "refresh"  // the token was renewed without a person
)
