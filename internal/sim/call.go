package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// Call is a message as a person writes it down.
type Call struct {
	Target string // a vat's name or id, or a kref
	Method string
	Args   []string // see Arguments
}

// String returns the call in a line.
func (c Call) String() string {
	return strings.Join(append([]string{c.Target, c.Method}, c.Args...), " ")
}

// Answer is what became of a Call.
type Answer struct {
	Target  swing.KRef
	Method  string
	Promise swing.KRef
	State   string // of the promise: unresolved, fulfilled or rejected
	Data    swing.CapData[swing.KRef]
	// Held says that the promise is still held for the embedder: it is not resolved.
	Held bool
}

// AskOptions say how Ask goes on once the messages are sent.
type AskOptions struct {
	// NoRun leaves the messages where they are: in the acceptance queue.
	NoRun bool
	// Deliveries ends it after so many, if it is not idle before.
	Deliveries uint64
}

// Ask sends messages, all at once, runs until all is quiet, and returns the answers,
// whose promises it lets go of. A promise that is not resolved stays held, so that
// its answer can be looked at later. Nothing is sent unless every target and every
// argument is good.
func Ask(
	ctx context.Context, h *host.Host, calls []Call, o AskOptions,
) (answers []Answer, ran host.Ran, err error) {
	var messages []host.Message
	for _, c := range calls {
		ref, m, err := c.message(h)
		if err != nil {
			if len(calls) > 1 {
				err = fmt.Errorf("%s: %w", c, err)
			}
			return nil, ran, err
		}
		answers = append(answers, Answer{Target: ref, Method: c.Method})
		messages = append(messages, m)
	}
	for i := range answers {
		a := &answers[i]
		if a.Promise, err = h.Send(ctx, a.Target, messages[i]); err != nil {
			return nil, ran, err
		}
	}
	if !o.NoRun {
		if ran, err = h.Run(ctx, host.Policy{Deliveries: o.Deliveries}); err != nil {
			return nil, ran, err
		}
	}
	for i := range answers {
		if err := answers[i].Settle(ctx, h); err != nil {
			return nil, ran, err
		}
	}
	return answers, ran, h.Commit(ctx)
}

// message makes the message of a call.
func (c Call) message(h *host.Host) (to swing.KRef, m host.Message, err error) {
	if to, err = target(h, c.Target); err != nil {
		return "", m, err
	}
	if !utf8.ValidString(c.Method) {
		return "", m, fmt.Errorf("%w: method %q is not UTF-8 text", host.ErrRefused, c.Method)
	}
	m.Method = c.Method
	if m.Body, m.Slots, err = Arguments(h, c.Args); err != nil {
		return "", m, err
	}
	args := swing.CapData[swing.KRef]{Body: m.Body, Slots: m.Slots}
	whole := swing.Message[swing.KRef]{Method: m.Method, Args: args}
	if why := swing.CheckMessage(h.Options().Limits, whole); why != "" {
		return "", m, fmt.Errorf("%w: %s", host.ErrRefused, why)
	}
	return to, m, nil
}

// Settle reads the answer, if there is one, and lets go of its promise.
func (a *Answer) Settle(ctx context.Context, h *host.Host) error {
	p, err := h.Promise(a.Promise)
	if err != nil {
		return err
	}
	a.State, a.Data = p.State.String(), p.Data
	a.Data.Body = append([]byte(nil), p.Data.Body...)
	if a.Held = a.State == "unresolved"; a.Held {
		return nil
	}
	return h.Release(ctx, a.Promise)
}

// ReadCalls reads a file of calls, one a line, their words apart by spaces; in quotes
// and brackets spaces are part of a word. Empty lines, and those that begin with #, are
// passed over.
func ReadCalls(path string) (calls []Call, err error) {
	text, err := readBounded(path, textBytesMax)
	if err != nil {
		return nil, fmt.Errorf("read script: %w", err)
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		call, err := ReadCall(line)
		if err != nil {
			return nil, &Error{
				File: path, Line: number, Column: 1, What: err.Error(), Excerpt: line,
			}
		}
		calls = append(calls, call)
	}
	if len(calls) == 0 {
		return nil, &Error{File: path, What: "there is no message in it"}
	}
	return calls, nil
}

// ReadCall reads one line of a file of calls.
func ReadCall(line string) (Call, error) {
	words, err := splitWords(line)
	if err != nil {
		return Call{}, err
	}
	if len(words) < 2 {
		return Call{}, errors.New("want TARGET METHOD and arguments")
	}
	return Call{words[0], words[1], words[2:]}, nil
}

// splitWords takes a line apart at the spaces that are in no quotes or brackets.
func splitWords(line string) (words []string, err error) {
	var word strings.Builder
	var quote, before rune // before is what came before this rune, if it closed a quote
	depth, escaped := 0, false
	for _, r := range line {
		closed := before
		before = 0
		switch {
		case quote != 0:
			if r == quote && !escaped {
				quote, before = 0, r
			}
			escaped = quote == '"' && r == '\\' && !escaped
		case r == '\'' && closed == r: // two of them in quotes are one
			quote = r
		case (r == '"' || r == '\'') && startsValue(word.String()):
			quote = r
		case r == '[' || r == '{':
			depth++
		case r == ']' || r == '}':
			depth--
		case (r == ' ' || r == '\t') && depth <= 0:
			if word.Len() > 0 {
				words = append(words, word.String())
			}
			word.Reset()
			continue
		}
		word.WriteRune(r)
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote (%c) that is not closed", quote)
	}
	if depth != 0 {
		return nil, errors.New("brackets that are not closed, or were not opened")
	}
	if word.Len() > 0 {
		words = append(words, word.String())
	}
	return words, nil
}

// startsValue reports whether a value can begin after so much of a word: elsewhere a
// quote is a letter like any other.
func startsValue(before string) bool {
	before = strings.TrimRight(before, " \t")
	return before == "" || strings.ContainsAny(before[len(before)-1:], "[{,:")
}
