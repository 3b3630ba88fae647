package report

import (
	"math"
	"strconv"
)

// Section is what is shown of one file: figures, then tables.
type Section struct {
	// Name begins the names of the files that are saved of it; a page's are distinct.
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	About   string   `json:"about"` // below the title
	Facts   []Fact   `json:"facts"`
	Figures []Figure `json:"figures"`
	Tables  []Table  `json:"tables"`
}

// Fact is a figure that sums up.
type Fact struct {
	Label string `json:"label"`
	Value any    `json:"value"`
}

// Figure is plots that are shown together. What is chosen says which.
type Figure struct {
	Title   string   `json:"title"`
	About   string   `json:"about"`
	Choices []Choice `json:"choices"`
	Views   []View   `json:"views"`
}

// Choice is a list to choose from.
type Choice struct {
	Name    string   `json:"name"`
	Options []string `json:"options"`
	First   int      `json:"first"` // the option that is chosen at first
}

// View is the plots for some options.
type View struct {
	Of    []int  `json:"of"` // the option of each choice
	Plots []Plot `json:"plots"`
}

// Plot is lines over x.
type Plot struct {
	Name  string  `json:"name"` // ends the names of the files that are saved of it
	Title string  `json:"title"`
	Note  string  `json:"note"` // what was chosen; "" is nothing
	Y     string  `json:"y"`    // what y counts, with its unit
	LogY  bool    `json:"log_y"`
	X     []Scale `json:"x"` // the first is taken where there is no choice
	Lines []Line  `json:"lines"`
}

// Scale is where the values of lines stand.
type Scale struct {
	Label  string `json:"label"`
	Log    bool   `json:"log"`
	Values Values `json:"values"` // ascending
	// Marks says that the axis is marked at the values, and nowhere else.
	Marks bool `json:"marks"`
}

// Line is a value for each of x, or [None].
type Line struct {
	Label  string `json:"label"`
	Colour int    `json:"colour"` // its number in the page's
	Values Values `json:"values"`
}

// None stands where a line has no value.
func None() float64 { return math.NaN() }

// Values are numbers; None is null in JSON, and "" in CSV.
type Values []float64

// MarshalJSON writes an array of the shortest numbers that read back the same.
func (v Values) MarshalJSON() ([]byte, error) {
	out := make([]byte, 0, 8*len(v)+2)
	out = append(out, '[')
	for i, n := range v {
		if i > 0 {
			out = append(out, ',')
		}
		if math.IsNaN(n) {
			out = append(out, "null"...)
			continue
		}
		out = strconv.AppendFloat(out, n, 'g', -1, 64)
	}
	return append(out, ']'), nil
}

// Table is rows of values, each a string, a number, or nil.
type Table struct {
	Name    string   `json:"name"` // ends the name of the file that is saved of it
	Title   string   `json:"title"`
	Columns []Column `json:"columns"`
	Rows    [][]any  `json:"rows"`
	// Sorted is the column that the rows are sorted by, from the most unless they ascend,
	// or -1.
	Sorted    int  `json:"sorted"`
	Ascending bool `json:"ascending"`
}

// Column is the head of a column.
type Column struct {
	Key   string `json:"key"`   // in CSV
	Label string `json:"label"` // for people, with the unit
	Text  bool   `json:"text"`  // its values are no numbers
}

// first returns the plots that are shown before anything is chosen, which are saved.
func (f *Figure) first() (plots []Plot) {
	for _, v := range f.Views {
		shown := true
		for i, option := range v.Of {
			shown = shown && option == f.Choices[i].First
		}
		if shown {
			plots = append(plots, v.Plots...)
		}
	}
	return plots
}
