package transcript

import (
	"encoding/json"
	"fmt"

	"vatwarehouse/swing"
)

// JSON returns the entry as one line of JSON in the shape of SwingSet's
// transcripts: {"d": delivery, "sc": [{"s": syscall, "r": answer}], "r": outcome}.
// A body that is a list in canonical encoding is a JSON list, {"ref": vref} where a
// slot stands; other bodies, and values, are as Text shows them. So it is for
// reading, not for loading.
func (e Entry) JSON() ([]byte, error) {
	type syscall struct {
		S []any `json:"s"`
		R any   `json:"r"`
	}
	line := struct {
		Position uint64    `json:"position"`
		D        []any     `json:"d"`
		SC       []syscall `json:"sc"`
		R        struct {
			Status  string  `json:"status"`
			Problem string  `json:"problem,omitempty"`
			Fuel    *uint64 `json:"fuel"` // null if it is not recorded
		} `json:"r"`
	}{Position: e.Position, D: jsonDelivery(e.Delivery), SC: []syscall{}}
	for _, x := range e.Exchanges {
		line.SC = append(line.SC, syscall{jsonSyscall(x), jsonAnswer(x)})
	}
	line.R.Status, line.R.Problem = e.Outcome.Status.String(), e.Outcome.Problem
	if !e.NoFuel {
		line.R.Fuel = &e.Outcome.Fuel
	}
	b, err := json.Marshal(line)
	if err != nil {
		return nil, fmt.Errorf("show entry %d: %w", e.Position, err)
	}
	return b, nil
}

func jsonCapData(c swing.CapData[swing.VRef]) map[string]any {
	out := map[string]any{"body": Text(c.Body), "slots": append([]swing.VRef{}, c.Slots...)}
	if b := readBody(c); b.ok {
		out["body"] = jsonValue(b.value)
	}
	return out
}

func jsonMessage(m swing.Message[swing.VRef]) map[string]any {
	out := map[string]any{"method": m.Method, "args": jsonCapData(m.Args), "result": nil}
	if m.Result != "" {
		out["result"] = m.Result
	}
	return out
}

func jsonResolutions(rs []swing.Resolution[swing.VRef]) []any {
	out := []any{}
	for _, r := range rs {
		out = append(out, []any{r.Promise, r.Rejected, jsonCapData(r.Data)})
	}
	return out
}

func jsonDelivery(b []byte) []any {
	d, err := swing.DecodeDelivery[swing.VRef](b)
	if err != nil {
		return []any{"malformed", Text(b)}
	}
	switch d.Kind {
	case swing.DeliverStartVat:
		return []any{d.Kind.String(), jsonCapData(d.Params)}
	case swing.DeliverMessage:
		return []any{d.Kind.String(), d.Target, jsonMessage(d.Message)}
	}
	if d.Kind.GC() {
		return []any{d.Kind.String(), append([]swing.VRef{}, d.Refs...)}
	}
	if d.Kind == swing.DeliverReap {
		return []any{d.Kind.String()}
	}
	return []any{d.Kind.String(), jsonResolutions(d.Resolutions)}
}

func jsonSyscall(x Exchange) []any {
	s, err := swing.DecodeRequest[swing.VRef](x.Op, x.Request)
	if err != nil {
		return []any{x.Op.String(), "malformed", Text(x.Request)}
	}
	switch x.Op {
	case swing.OpSend:
		return []any{x.Op.String(), s.Target, jsonMessage(s.Message)}
	case swing.OpCall:
		return []any{x.Op.String(), s.Target, s.Message.Method, jsonCapData(s.Message.Args)}
	case swing.OpSubscribe:
		return []any{x.Op.String(), s.Target}
	case swing.OpResolve:
		return []any{x.Op.String(), jsonResolutions(s.Resolutions)}
	case swing.OpExit:
		return []any{x.Op.String(), s.Failure, jsonCapData(s.Info)}
	case swing.OpDropImports, swing.OpRetireImports, swing.OpRetireExports,
		swing.OpAbandonExports:
		return []any{x.Op.String(), append([]swing.VRef{}, s.Refs...)}
	case swing.OpVatstoreSet:
		return []any{x.Op.String(), Text(s.Key), Text(s.Value)}
	}
	return []any{x.Op.String(), Text(s.Key)}
}

func jsonAnswer(x Exchange) any {
	if a, err := swing.DecodeCallAnswer[swing.VRef](x.Answer); err == nil && x.Op == swing.OpCall {
		return map[string]any{"failed": a.Failed, "data": jsonCapData(a.Data)}
	}
	if v, found, err := swing.DecodeAnswer(x.Answer); err == nil && found {
		return Text(v)
	}
	return nil
}
