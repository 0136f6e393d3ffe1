package emulator

import "time"

// state is everything that happened to a Server. Server.mu guards it.
type state struct {
	ready    bool
	advanced time.Duration
	key      []byte // signs client secrets, codes, page tokens

	clients    map[string]*client        // by client id
	undecided  []*signIn                 // in the order they started; some may have been decided since
	lastDevice *signIn                   // what PollTimes tells of
	byID       map[string]*signIn        // by signIn.id
	byDevice   map[string]*signIn        // by device code
	byUser     map[string]*signIn        // by user code
	byCode     map[string]*signIn        // by authorization code
	sessions   map[string]*portalSession // by cookie value
	access     map[string]*accessToken
	refresh    map[string]*refreshToken
	asserted   map[string]assertion        // the identity provider's answers on their way to the portal
	keys       map[string]*roleCredentials // by access key id
	consents   map[consent]bool

	faults  faultQueue
	portal  []time.Time // portal calls of the last second
	log     []LoggedRequest
	changed chan struct{} // closed, then replaced, when a sign-in starts or is decided
}

// client is a registered OIDC client.
type client struct {
	id, name  string
	secret    string
	scopes    []string
	grants    []string
	redirects []string
	issuer    string
	issued    time.Time
	expires   time.Time
}

// Kind tells the two ways of signing in apart.
type Kind string

// The kinds of a sign-in.
const (
	DeviceCode        Kind = "device_code"
	AuthorizationCode Kind = "authorization_code"
)

// Status is how far a sign-in has come.
type Status string

// The states of a sign-in. Pending becomes Approved or Denied; Approved becomes Redeemed when a client fetched its
// tokens. A sign-in lapses CodeLife after it began; that is told from the time, not kept as a status.
const (
	Pending  Status = "pending"
	Approved Status = "approved"
	Denied   Status = "denied"
	Redeemed Status = "redeemed"
)

// signIn is one device authorization or one authorization-code request.
type signIn struct {
	id      string
	kind    Kind
	client  *client
	status  Status
	began   time.Time
	expires time.Time
	user    string         // who decided
	base    string         // the origin the browser came by
	session *portalSession // set on approval

	deviceCode string
	userCode   string
	confirmed  bool // the person confirmed the user code
	polls      []time.Duration
	lastPoll   time.Time
	interval   time.Duration
	slowDowns  int
	misplaced  bool // started with a wrong start URL: it can only fail in the browser

	redirectURI string
	state       string
	challenge   string
	code        string // issued on approval
}

// live reports whether the sign-in can still be decided or redeemed at now.
func (si *signIn) live(now time.Time) bool { return now.Before(si.expires) }

// portalSession is one person's session at the portal, in one browser (or one Approve in code).
type portalSession struct {
	id      string
	user    string
	began   time.Time
	expires time.Time
	ended   bool
}

func (p *portalSession) live(now time.Time) bool { return !p.ended && now.Before(p.expires) }

type accessToken struct {
	session *portalSession
	client  *client
	expires time.Time
	ended   bool
}

func (t *accessToken) live(now time.Time) bool {
	return !t.ended && t.session.live(now) && now.Before(t.expires)
}

type refreshToken struct {
	session *portalSession
	client  *client
	access  *accessToken
	spent   bool
	ended   bool
}

// roleCredentials are what GetRoleCredentials handed out, for STS to recognise.
type roleCredentials struct {
	secret, token string
	account, role string
	user          string
	expires       time.Time
}

// consent is a person's yes to a client; a registration that was allowed once is not asked about again.
type consent struct{ user, clientID string }

// assertion is the identity provider's word that user signed in, good once and for a minute. request is the sign-in
// the browser goes back to, "" for none.
type assertion struct {
	user    string
	request string
	expires time.Time
}

// init makes the maps of a zero state. s.mu is held.
func (s *Server) init() {
	st := &s.st
	if st.ready {
		return
	}
	st.ready = true
	st.key = s.random(48)
	st.clients = map[string]*client{}
	st.byID = map[string]*signIn{}
	st.byDevice = map[string]*signIn{}
	st.byUser = map[string]*signIn{}
	st.byCode = map[string]*signIn{}
	st.sessions = map[string]*portalSession{}
	st.access = map[string]*accessToken{}
	st.refresh = map[string]*refreshToken{}
	st.asserted = map[string]assertion{}
	st.keys = map[string]*roleCredentials{}
	st.consents = map[consent]bool{}
	st.changed = make(chan struct{})
	if s.Directory == nil {
		s.Directory = DefaultDirectory()
	}
}

// announce wakes everything that waits for a sign-in to start or to be decided. s.mu is held.
func (s *Server) announce() {
	close(s.st.changed)
	s.st.changed = make(chan struct{})
}

// region, startURL and the lives return a field or its default. s.mu is held.
func (s *Server) region() string   { return or(s.Region, DefaultRegion) }
func (s *Server) startURL() string { return or(s.StartURL, DefaultStartURL) }

func (s *Server) accessTokenLife() time.Duration   { return or(s.AccessTokenLife, time.Hour) }
func (s *Server) unscopedTokenLife() time.Duration { return or(s.UnscopedTokenLife, 8*time.Hour) }
func (s *Server) sessionLife() time.Duration       { return or(s.SessionLife, 8*time.Hour) }
func (s *Server) codeLife() time.Duration          { return or(s.CodeLife, 600*time.Second) }
func (s *Server) registrationLife() time.Duration  { return or(s.RegistrationLife, 90*24*time.Hour) }
func (s *Server) interval() time.Duration          { return or(s.Interval, time.Second) }

// or returns v, or def when v is the zero value.
func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
