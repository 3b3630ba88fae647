package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// What a plot on paper measures: the width is that of a column of two. Letters are no
// smaller than those of a paper's notes.
const (
	paperWidth  = 8.6 * vg.Centimeter
	paperHeight = 6 * vg.Centimeter
	paperDPI    = 300
	smallFont   = font.Length(7)
	largeFont   = font.Length(8)
	fewPoints   = 60 // so many are dots beside their line
)

// drawn is a plot for paper.
type drawn struct {
	*plot.Plot
	lines []Line
	looks []draw.LineStyle // of the lines
}

// onPaper makes a plot for paper, over the first of its scales.
func onPaper(p *Plot, colours []Colour) (*drawn, error) {
	d := &drawn{Plot: plot.New(), lines: p.Lines}
	title := p.Title
	if p.Note != "" {
		title += "\n" + p.Note
	}
	x := &p.X[0]
	d.Title.Text, d.X.Label.Text, d.Y.Label.Text = title, x.Label, p.Y
	d.Title.Padding = 2
	for style, size := range map[*text.Style]font.Length{
		&d.Title.TextStyle: largeFont, &d.X.Label.TextStyle: smallFont,
		&d.Y.Label.TextStyle: smallFont, &d.X.Tick.Label: smallFont, &d.Y.Tick.Label: smallFont,
	} {
		style.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	}
	grid := plotter.NewGrid()
	faint := color.Gray{0xdd}
	grid.Horizontal.Color, grid.Vertical.Color = faint, faint
	d.Add(grid)
	for _, l := range p.Lines {
		if err := d.add(l, x, colours[l.Colour%len(colours)]); err != nil {
			return nil, fmt.Errorf("draw %s of plot %s: %w", l.Label, p.Name, err)
		}
	}
	if !p.LogY {
		d.Y.Min = min(0, d.Y.Min)
	} else if d.Y.Min > 0 {
		d.Y.Min = math.Pow(10, math.Floor(math.Log10(d.Y.Min)))
		d.Y.Max = math.Pow(10, math.Ceil(math.Log10(d.Y.Max)))
	}
	scale(&d.X, x.Log)
	scale(&d.Y, p.LogY)
	if x.Marks {
		var ticks plot.ConstantTicks
		for _, v := range x.Values {
			ticks = append(ticks, plot.Tick{Value: v, Label: brief(v, v)})
		}
		d.X.Tick.Marker = ticks
	}
	return d, nil
}

// add adds a line. Where it has no value it goes straight on to the next.
func (d *drawn) add(l Line, x *Scale, c Colour) error {
	var points plotter.XYs
	for i, v := range l.Values {
		if !math.IsNaN(v) {
			points = append(points, plotter.XY{X: x.Values[i], Y: v})
		}
	}
	var rgb color.NRGBA
	if _, err := fmt.Sscanf(c.Light, "#%02x%02x%02x", &rgb.R, &rgb.G, &rgb.B); err != nil {
		return err
	}
	rgb.A = 0xff
	look := draw.LineStyle{Color: rgb, Width: 0.9}
	for _, dots := range c.Dashes {
		look.Dashes = append(look.Dashes, vg.Length(dots)/2)
	}
	d.looks = append(d.looks, look)
	if len(points) == 0 {
		return nil
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	line.LineStyle = look
	dots.GlyphStyle = draw.GlyphStyle{Color: rgb, Radius: 1.4, Shape: draw.CircleGlyph{}}
	d.Plot.Add(line)
	if len(x.Values) <= fewPoints {
		d.Plot.Add(dots)
	}
	return nil
}

// scale sets what stands at an axis, which is of some length.
func scale(a *plot.Axis, log bool) {
	if math.IsInf(a.Min, 0) || math.IsInf(a.Max, 0) {
		a.Min, a.Max = 1, 1 // nothing is drawn
	}
	switch {
	case log && a.Min == a.Max:
		a.Max *= 10
	case a.Min == a.Max:
		a.Max++
	}
	if log {
		a.Scale, a.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
		return
	}
	a.Tick.Marker = plot.TickerFunc(linearTicks)
}

// linearTicks are the usual ones, written in one unit.
func linearTicks(least, most float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(least, most)
	for i := range ticks {
		if !ticks[i].IsMinor() {
			ticks[i].Label = brief(ticks[i].Value, most)
		}
	}
	return ticks
}

// logTicks are the usual ones, each in its own unit; on a short axis there is a number at
// 2 and 5 too.
func logTicks(least, most float64) []plot.Tick {
	ticks := plot.LogTicks{Prec: -1}.Ticks(least, most)
	const short = 50
	for i := range ticks {
		first := strconv.FormatFloat(ticks[i].Value, 'e', -1, 64)[0]
		if !ticks[i].IsMinor() || most/least < short && (first == '2' || first == '5') {
			ticks[i].Label = brief(ticks[i].Value, 10*ticks[i].Value)
		}
	}
	return ticks
}

// brief writes what stands at an axis: in k, M or G by the largest there, which has two
// digits before the unit.
func brief(v, largest float64) string {
	unit := ""
	for _, u := range []struct {
		size float64
		unit string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if largest >= 10*u.size && v != 0 {
			v, unit = v/u.size, u.unit
			break
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64) + unit
}

// draw draws the plot: its title, what its lines are, in rows below that, and the rest.
func (d *drawn) draw(c draw.Canvas) {
	const sample, gap, pad = vg.Length(14), vg.Length(3), vg.Length(8)
	c.FillPolygon(color.White, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max,
		{X: c.Min.X, Y: c.Max.Y}})
	c = draw.Crop(c, 3, -6, 3, -3)
	title := d.Title.Text
	d.Title.Text = "" // it is drawn here, above the rows
	style := d.Title.TextStyle
	style.XAlign, style.YAlign = draw.XLeft, draw.YTop
	c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, title)
	label := d.X.Label.TextStyle
	label.XAlign, label.YAlign = draw.XLeft, draw.YCenter
	height := label.Height("Ag") + gap
	at := vg.Point{X: c.Min.X, Y: c.Max.Y - style.Height(title) - height}
	for i, l := range d.lines {
		width := sample + gap + label.Width(l.Label)
		if at.X > c.Min.X && at.X+width > c.Max.X {
			at = vg.Point{X: c.Min.X, Y: at.Y - height}
		}
		c.StrokeLine2(d.looks[i], at.X, at.Y, at.X+sample, at.Y)
		c.FillText(label, vg.Point{X: at.X + sample + gap, Y: at.Y}, l.Label)
		at.X += width + pad
	}
	d.Plot.Draw(draw.Crop(c, 0, 0, 0, at.Y-height-c.Max.Y))
}

// PNG returns a plot as a picture of the width of a column, in colours of paper.
func (p *Page) PNG(one *Plot) ([]byte, error) {
	d, err := onPaper(one, p.Colours)
	if err != nil {
		return nil, err
	}
	canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(
		vgimg.UseWH(paperWidth, paperHeight), vgimg.UseDPI(paperDPI))}
	d.draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("draw plot %s: %w", one.Name, err)
	}
	return b.Bytes(), nil
}

// SVG returns the same as lines and letters.
func (p *Page) SVG(one *Plot) ([]byte, error) {
	d, err := onPaper(one, p.Colours)
	if err != nil {
		return nil, err
	}
	canvas := vgsvg.New(paperWidth, paperHeight)
	d.draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("draw plot %s: %w", one.Name, err)
	}
	// Where this font is not, another without serifs is to take its place.
	const font = `style="font-family:Liberation Sans`
	return bytes.ReplaceAll(b.Bytes(), []byte(font), []byte(font+",Arial,sans-serif")), nil
}
