package emulator_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
)

const rightVerifier = verifier

// grantable is a code or refresh token out in the world, with what is known of it.
type grantable struct {
	grant    string // device_code, authorization_code, refresh_token
	value    string
	client   int       // who may redeem it
	good     time.Time // until when it is good for sure; zero = for as long as the test lasts
	lapses   time.Time // when it is over for sure; zero = not by itself
	redeemed atomic.Int32
	rightly  atomic.Int32 // tries that should have worked unless another was quicker
}

// world is what the goroutines of the property test share.
type world struct {
	t       *testing.T
	emu     *emulator.Server
	clients []struct{ id, secret string }

	mu     sync.Mutex
	pool   []*grantable
	counts map[string]int
}

func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

func (w *world) add(g *grantable) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pool = append(w.pool, g)
}

func (w *world) pick(rng *rand.Rand) *grantable {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pool) == 0 {
		return nil
	}
	if rng.IntN(5) == 0 {
		return w.pool[rng.IntN(len(w.pool))]
	}
	// The newest are the most interesting: others try them at the same moment.
	return w.pool[max(0, len(w.pool)-1-rng.IntN(12))]
}

// post sends a JSON body straight to the handler.
func (w *world) post(path string, body any) (status int, answer map[string]any) {
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Error(err)
		return 0, nil
	}
	rec := httptest.NewRecorder()
	w.emu.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(b))))
	_ = json.Unmarshal(rec.Body.Bytes(), &answer) // an answer that is no JSON has no members, and then a count stays 0
	return rec.Code, answer
}

func (w *world) register() {
	status, a := w.post("/client/register", map[string]any{"clientName": fmt.Sprintf("client %d", len(w.clients)),
		"clientType": "public",
		"scopes":     []string{"sso:account:access"}, "grantTypes": []string{codeGrant, refreshGrant},
		"redirectUris": []string{"http://127.0.0.1/oauth/callback"}, "issuerUrl": emulator.DefaultStartURL})
	if status != 200 {
		w.t.Fatalf("register: %d %v", status, a)
	}
	w.clients = append(w.clients, struct{ id, secret string }{a["clientId"].(string), a["clientSecret"].(string)})
}

// begin starts and approves a sign-in of either kind.
func (w *world) begin(rng *rand.Rand) {
	who := rng.IntN(len(w.clients))
	if rng.IntN(2) == 0 {
		status, a := w.post("/device_authorization", map[string]any{"clientId": w.clients[who].id,
			"clientSecret": w.clients[who].secret, "startUrl": emulator.DefaultStartURL})
		if status != 200 {
			w.t.Errorf("device_authorization: %d", status)
			return
		}
		after := w.emu.Now()
		if err := w.emu.Approve(w.t.Context()); err != nil { // this one or another's: all get approved in the end
			w.t.Error(err)
		}
		w.add(&grantable{grant: "device_code", value: a["deviceCode"].(string), client: who,
			lapses: after.Add(600 * time.Second)})
		return
	}
	rec := httptest.NewRecorder()
	w.emu.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, authorizeURL("http://127.0.0.1", &w.clients[who].id, nil), nil))
	_, id, _ := strings.Cut(rec.Header().Get("Location"), "request=")
	before := w.emu.Now()
	back, err := w.emu.Decide(w.t.Context(), emulator.Decision{ID: id})
	if err != nil {
		w.count("sign-in decided by another or lapsed")
		return
	}
	after := w.emu.Now()
	_, code, _ := strings.Cut(back, "code=")
	code, _, _ = strings.Cut(code, "&")
	w.add(&grantable{grant: codeGrant, value: code, client: who, good: before.Add(600 * time.Second),
		lapses: after.Add(600 * time.Second)})
}

// redeem tries g as the given client, with its verifier or another, and checks what came of it.
func (w *world) redeem(g *grantable, who int, verifier string) {
	right := who == g.client && (g.grant != codeGrant || verifier == rightVerifier)
	body := map[string]any{"clientId": w.clients[who].id, "clientSecret": w.clients[who].secret}
	switch g.grant {
	case "device_code":
		body["grantType"], body["deviceCode"] = deviceGrant, g.value
	case codeGrant:
		body["grantType"], body["code"] = codeGrant, g.value
		body["redirectUri"], body["codeVerifier"] = redirectURI, verifier
	case refreshGrant:
		body["grantType"], body["refreshToken"] = refreshGrant, g.value
	}
	before := w.emu.Now()
	status, a := w.post("/token", body)
	lapsed := !g.lapses.IsZero() && before.After(g.lapses)
	if status != 200 {
		// Others move the clock at any moment, also between before and the answer.
		if right && (g.good.IsZero() || w.emu.Now().Before(g.good)) {
			g.rightly.Add(1)
		}
		w.count("refused")
		switch {
		case who != g.client:
			w.count("refused: another client")
		case !right:
			w.count("refused: wrong verifier")
		case lapsed:
			w.count("refused: lapsed")
		case g.redeemed.Load() > 0:
			w.count("refused: spent " + g.grant)
		}
		return
	}
	w.count("redeemed " + g.grant)
	if !right {
		w.t.Errorf("%s was redeemed by another client or with a wrong verifier", g.grant)
	}
	if lapsed {
		w.t.Errorf("%s was redeemed %v after it lapsed", g.grant, before.Sub(g.lapses))
	}
	if n := g.redeemed.Add(1); n > 1 {
		w.t.Errorf("%s was redeemed %d times", g.grant, n)
	}
	w.add(&grantable{grant: refreshGrant, value: a["refreshToken"].(string), client: g.client})
}

// TestCodesWorkOnce has many clients start, steal, repeat and delay at once. Whatever the order: no code and no
// refresh token is good twice, for another client, or after it lapsed.
func TestCodesWorkOnce(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := &world{t: t, emu: &emulator.Server{SessionLife: 1000 * time.Hour}, counts: map[string]int{}}
	for range 4 {
		w.register()
	}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			for range 300 {
				switch n := rng.IntN(20); {
				case n < 3:
					w.begin(rng)
				case n < 4:
					w.emu.Advance(time.Duration(rng.IntN(90)) * time.Second)
				default:
					if g := w.pick(rng); g != nil {
						who, v := g.client, rightVerifier
						if rng.IntN(4) == 0 {
							who = rng.IntN(len(w.clients))
						}
						if rng.IntN(6) == 0 {
							v += "x"
						}
						w.redeem(g, who, v)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, what := range []string{"redeemed device_code", "redeemed authorization_code", "redeemed refresh_token",
		"refused: another client", "refused: wrong verifier", "refused: lapsed", "refused: spent device_code",
		"refused: spent authorization_code", "refused: spent refresh_token"} {
		if w.counts[what] == 0 {
			t.Errorf("never happened: %s (%v)", what, w.counts)
		}
	}
	// Every code that was tried correctly and in time was redeemed.
	lost := 0
	for _, g := range w.pool {
		if g.rightly.Load() > 0 && g.redeemed.Load() == 0 && g.grant != "device_code" {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d grants were refused to their own client in time and never redeemed", lost)
	}
}

// TestOneOfManyRedeems has many goroutines redeem the same value at once.
func TestOneOfManyRedeems(t *testing.T) {
	t.Parallel()
	w := &world{t: t, emu: &emulator.Server{}, counts: map[string]int{}}
	w.register()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		w.begin(rng)
	}
	for i := 0; i < len(w.pool) && i < 60; i++ { // grows by a refresh token for each value redeemed
		g := w.pool[i]
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { w.redeem(g, g.client, rightVerifier) })
		}
		wg.Wait()
		if n := g.redeemed.Load(); n != 1 {
			t.Fatalf("%s was redeemed %d times by eight at once", g.grant, n)
		}
	}
}
