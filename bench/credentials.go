//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/homing-cli/homing/emulator"
)

const mb = 1e6

// credentials measures one call: from the cache, with one request, and what else answers the same question.
func (b *bench) credentials() error {
	const group = "Credentials of a profile"
	cold, err := b.another("cold")
	if err != nil {
		return err
	}
	ask := []string{"credentials", "--profile", "dev"}
	fromCache := b.program("homing", nil, b.home, b.homing, ask...)
	asked := b.program("homing, asking", cold.forget, cold, b.homing, ask...)
	nothing := b.program("empty", nil, b.home, b.empty, ask...)
	b.emu.ForgetRequests()
	took, err := interleave(b.ctx, b.size.rounds, settled(nothing), settled(fromCache), settled(asked))
	if err != nil {
		return err
	}
	served, _ := b.calls(emulator.OpGetRoleCredentials)
	b.add(group,
		with(times(took[1], took[0]), Row{Key: "warm", What: "from the cache", To: empty(took[0]),
			Limit: mostRatio(3)}),
		with(times(took[2], took[1]), Row{Key: "cold", What: "asking the portal once, on loopback",
			To: "from the cache", Limit: mostRatio(3)}),
		with(times(took[2], took[0]), Row{Key: "cold/empty", What: "the same", To: empty(took[0])}),
		Row{Key: "cold/requests", What: "requests for one such call",
			Value: float64(served) / float64(len(took[2])*(1+settling)), Limit: mostValue(1)},
	)

	if b.aws != "" {
		export := []string{"configure", "export-credentials", "--profile", "dev", "--format", "process"}
		took, err := interleave(b.ctx, b.size.awsRounds,
			settled(b.program("aws", nil, b.home, b.aws, export...)), settled(fromCache),
			settled(b.program("aws, asking", cold.forget, cold, b.aws, export...)), settled(asked))
		if err != nil {
			return err
		}
		b.add(group,
			with(times(took[0], took[1]), Row{Key: "aws/warm", What: "the AWS CLI, from the same cache",
				To: "homing, in the same rounds", Limit: leastRatio(100)}),
			with(times(took[2], took[3]), Row{Key: "aws/cold", What: "the AWS CLI, asking",
				To: "homing asking, in the same rounds"}),
		)
	}

	b.emu.ForgetRequests()
	most, err := b.memory(b.home, b.homing, ask...)
	if err != nil {
		return err
	}
	b.add(group,
		Row{Key: "memory", What: "memory at its peak, from the cache", Value: most, Unit: "MB", Limit: mostValue(12)},
		Row{Key: "requests", What: "requests that reached the service meanwhile", Value: float64(len(b.emu.Requests())),
			Limit: mostValue(0)},
	)

	size, err := fileSize(b.homing)
	if err != nil {
		return err
	}
	emptySize, err := fileSize(b.empty)
	if err != nil {
		return err
	}
	b.add(group, Row{Key: "size", What: "the program, stripped", Value: size, Unit: "MB", Ratio: size / emptySize,
		To: "an empty Go program, " + number(emptySize) + " MB", Limit: mostValue(14)})
	return nil
}

// with returns r, with the numbers of measured.
func with(measured, r Row) Row {
	r.Value, r.Unit, r.Ratio, r.Low, r.High = measured.Value, measured.Unit, measured.Ratio, measured.Low, measured.High
	return r
}

func empty(took []time.Duration) string {
	return "an empty Go program, " + number(ms(median(took))) + " ms"
}

func fileSize(path string) (float64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()) / mb, nil
}

// callers measures many processes at once.
func (b *bench) callers() error {
	n := b.size.callers
	group := fmt.Sprintf("%d callers at once", n)
	expired, err := b.another("expired")
	if err != nil {
		return err
	}
	renewed, err := b.another("renewed")
	if err != nil {
		return err
	}
	many := func(h home, path string) func() (time.Duration, error) {
		return func() (time.Duration, error) {
			cmds := make([]*exec.Cmd, n)
			for i := range cmds {
				cmds[i] = b.command(h, path, "credentials", "--profile", "dev")
			}
			took, err := atOnce(cmds)
			return took, b.explain(err)
		}
	}
	// over measures all callers after folders of h expired, and counts the requests it takes: the most of any round.
	over := func(h home, folders ...string) (func() (time.Duration, error), *float64, *float64) {
		fetches, renewals := new(float64), new(float64)
		return func() (time.Duration, error) {
			for _, folder := range folders {
				if err := h.expire(folder); err != nil {
					return 0, err
				}
			}
			b.emu.ForgetRequests()
			took, err := b.sameAnswer(h)
			fetched, _ := b.calls(emulator.OpGetRoleCredentials)
			created, _ := b.calls(emulator.OpCreateToken)
			if err == nil && (fetched == 0 || created == 0 && len(folders) > 1) {
				err = fmt.Errorf("%d credentials and %d tokens were asked for: nothing had expired", fetched, created)
			}
			*fetches, *renewals = max(*fetches, float64(fetched)), max(*renewals, float64(created))
			return took, err
		}, fetches, renewals
	}
	measureExpired, fetches, _ := over(expired, ".aws/cli/cache")
	measureRenewed, fetches2, renewals := over(renewed, ".aws/cli/cache", ".aws/sso/cache")
	took, err := interleave(b.ctx, b.size.callerTimes,
		subject{"empty programs", many(b.home, b.empty)},
		subject{"from the cache", many(b.home, b.homing)},
		subject{"expired role credentials", measureExpired},
		subject{"expired token", measureRenewed})
	if err != nil {
		return err
	}
	b.add(group,
		with(times(took[1], took[0]), Row{Key: "callers/warm", What: "from the cache, until the last has its answer",
			To: "as many empty Go programs"}),
		with(times(took[2], took[1]), Row{Key: "callers/expired", What: "the same, on expired role credentials",
			To: "from the cache"}),
		Row{Key: "callers/fetches", What: "requests for them", Value: *fetches, Limit: mostValue(1)},
		with(times(took[3], took[1]), Row{Key: "callers/token", What: "the same, on an expired token too",
			To: "from the cache"}),
		Row{Key: "callers/token/fetches", What: "requests for credentials", Value: *fetches2, Limit: mostValue(1)},
		Row{Key: "callers/token/renewals", What: "renewals of the token", Value: *renewals, Limit: mostValue(1)},
	)
	return b.manyRoles()
}

// sameAnswer has all callers ask for dev; it is an error if one gets other credentials than the others.
func (b *bench) sameAnswer(h home) (time.Duration, error) {
	cmds := make([]*exec.Cmd, b.size.callers)
	for i := range cmds {
		cmds[i] = b.command(h, b.homing, "credentials", "--profile", "dev")
	}
	keys, took, err := b.answers(cmds)
	if err == nil && len(keys) != 1 {
		err = fmt.Errorf("%d different credentials for one role", len(keys))
	}
	return took, err
}

// answers runs all cmds at once and returns the different access keys they print.
func (b *bench) answers(cmds []*exec.Cmd) (map[string]bool, time.Duration, error) {
	files := make([]*os.File, len(cmds))
	for i, cmd := range cmds {
		file, err := os.CreateTemp(b.dir, "answer-")
		if err != nil {
			return nil, 0, err
		}
		defer func() { _ = os.Remove(file.Name()); _ = file.Close() }()
		files[i], cmd.Stdout = file, file
	}
	took, err := atOnce(cmds)
	if err != nil {
		return nil, 0, b.explain(err)
	}
	keys := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file.Name())
		if err != nil {
			return nil, 0, err
		}
		var answer struct {
			AccessKeyID string `json:"AccessKeyId"`
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			return nil, 0, err
		}
		keys[answer.AccessKeyID] = true
	}
	return keys, took, nil
}

// manyRoles has as many callers as roles ask a portal that refuses most of them at first.
func (b *bench) manyRoles() error {
	h, err := b.another("roles")
	if err != nil {
		return err
	}
	if err := h.forget(); err != nil {
		return err
	}
	b.emu.Change(func(s *emulator.Server) { s.PortalRate = b.size.roleRate })
	defer b.emu.Change(func(s *emulator.Server) { s.PortalRate = 0 })
	account := b.account()
	var cmds []*exec.Cmd
	for _, role := range account.Roles {
		cmds = append(cmds, b.command(h, b.homing, "credentials", "--sso-session", "dev", "--account-id", account.ID,
			"--role-name", role.Name))
	}
	b.quiet()
	b.emu.ForgetRequests()
	keys, took, err := b.answers(cmds)
	if err != nil {
		return err
	}
	ideal := float64(len(cmds)) / float64(b.size.roleRate)
	what := fmt.Sprintf("%d callers, %d roles, %d calls a second", len(cmds), len(cmds), b.size.roleRate)
	b.add(what,
		Row{Key: "roles", What: "until the last has its answer", Value: took.Seconds(), Unit: "s",
			Ratio: took.Seconds() / ideal, To: "calls ÷ rate, " + number(ideal) + " s"},
		Row{Key: "roles/served", What: "different credentials", Value: float64(len(keys)),
			Limit: leastValue(float64(len(cmds)))},
	)
	return nil
}

// quiet waits until the calls before no longer count for the portal's rate.
func (b *bench) quiet() {
	select {
	case <-time.After(time.Second):
	case <-b.ctx.Done():
	}
}

// configs measures a call from the cache beside large config files.
func (b *bench) configs() error {
	const group = "The same with many profiles"
	var homes []home
	for _, n := range []int{1, b.size.someProfiles, b.size.manyProfiles} {
		h, err := b.another("config")
		if err != nil {
			return err
		}
		if err := h.write(".aws/config", b.config(n)); err != nil {
			return err
		}
		homes = append(homes, h)
	}
	var subjects []subject
	for _, h := range homes {
		subjects = append(subjects, settled(b.program("homing", nil, h, b.homing, "credentials", "--profile", "dev")))
	}
	took, err := interleave(b.ctx, max(1, b.size.rounds/4), subjects...)
	if err != nil {
		return err
	}
	b.add(group,
		with(times(took[1], took[0]), Row{Key: "config/some", What: fmt.Sprintf("%d in the file", b.size.someProfiles),
			To: "one"}),
		with(times(took[2], took[0]), Row{Key: "config/many", What: fmt.Sprintf("%d in the file", b.size.manyProfiles),
			To: "one"}))
	most, err := b.memory(homes[2], b.homing, "credentials", "--profile", "dev")
	if err != nil {
		return err
	}
	one, err := b.memory(homes[0], b.homing, "credentials", "--profile", "dev")
	if err != nil {
		return err
	}
	b.add(group, Row{Key: "config/memory", What: fmt.Sprintf("memory at its peak, %d in the file", b.size.manyProfiles),
		Value: most, Unit: "MB", Ratio: most / one, To: "one", Limit: mostValue(16)})
	return nil
}
