// Package report records what a run does, block by block, and shows records and
// measured surfaces as one page of HTML.
//
// A record is lines of JSON: a [Header], a [Block] for each block, and at the end a
// [Vat] for each vat. A run that was killed leaves a record without vats, and perhaps
// with a part of a line at its end, which is passed over.
//
// A page needs no network and no file beside it: the plots are drawn by uPlot 1.6.32,
// whose code and licence (MIT) are in the page. Its data are in the element "data",
// as JSON. Nothing that a vat or a file says is shown as markup.
package report
