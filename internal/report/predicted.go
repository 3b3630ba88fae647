package report

import "encoding/json"

// checked is what swingsim policy --check --json prints, as far as it is shown: what was
// said of policies, beside runs under them.
type checked struct {
	About  string `json:"about"`
	Checks []struct {
		Policy struct {
			Vats  int    `json:"vats"`
			Rule  string `json:"rule"`
			Evict string `json:"evict"`
		} `json:"policy"`
		Counts []struct {
			What      string `json:"what"`
			Predicted uint64 `json:"predicted"`
			Ran       uint64 `json:"ran"`
			Holds     bool   `json:"holds"`
		} `json:"counts"`
		Times []struct {
			What      string  `json:"what"`
			Predicted float64 `json:"predicted_ns"`
			Ran       float64 `json:"ran_ns"`
			Holds     bool    `json:"holds"`
		} `json:"times"`
	} `json:"checks"`
}

// readChecked reads predictions, and reports whether there are any.
func readChecked(b []byte) (c *checked, ok bool) {
	c = &checked{}
	err := json.Unmarshal(b, c)
	return c, err == nil && len(c.Checks) > 0
}

// section shows predictions beside runs.
func (c *checked) section(file string) Section {
	s := Section{
		Name: "predictions", Title: "Predictions beside runs", About: file,
		Facts: []Fact{{"policies", len(c.Checks)}}, Figures: []Figure{},
	}
	if c.About != "" {
		s.About += ", of " + c.About
	}
	t := Table{Name: "checks", Title: "What was said, and what ran", Sorted: -1,
		Columns: []Column{
			{"vats", "vats in memory", false}, {"snapshots_rule", "snapshots", true},
			{"evict", "evict", true}, {"what", "what", true},
			{"predicted", "predicted", false}, {"ran", "ran", false},
			{"off_percent", "off by, %", false}, {"within_fifth", "within a fifth", true},
		}}
	for _, one := range c.Checks {
		p := one.Policy
		if p.Evict == "" {
			p.Evict = "lru"
		}
		row := func(what string, predicted, ran float64, holds bool) {
			var off any
			if ran != 0 {
				off = 100 * (predicted - ran) / ran
			}
			within := "no"
			if holds {
				within = "yes"
			}
			t.Rows = append(t.Rows,
				[]any{p.Vats, p.Rule, p.Evict, what, predicted, ran, off, within})
		}
		for _, n := range one.Counts {
			row(n.What, float64(n.Predicted), float64(n.Ran), n.Holds)
		}
		for _, n := range one.Times {
			row("time: "+n.What+", ms", n.Predicted/nanosPerMilli, n.Ran/nanosPerMilli, n.Holds)
		}
	}
	s.Tables = []Table{t}
	return s
}
