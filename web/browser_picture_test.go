package web

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const (
	tallest = 1800 // pixels of a picture: what is below looks like what is above
	colours = 256
)

// picture keeps what the page looks like, with 256 colours: a third of the bytes, and no eye sees it on a page that has a dozen.
func (b *tab) picture(name string, width int64) {
	b.t.Helper()
	height := min(b.layout().CSSContentSize.Height, tallest)
	var shot []byte
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		yes := true
		got, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &yes,
			Clip: &page.Viewport{Width: float64(width), Height: height, Scale: 1}})
		shot = got.Data
		return err
	}))
	full, err := png.Decode(bytes.NewReader(shot))
	require.NoError(b.t, err)
	var out bytes.Buffer
	require.NoError(b.t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, paletted(full)))
	require.NoError(b.t, os.MkdirAll(b.shots, 0o755))
	require.NoError(b.t, os.WriteFile(filepath.Join(b.shots, name+".png"), out.Bytes(), 0o644))
}

// paletted keeps the most frequent colours of a picture that can be told apart; the others become the nearest of them.
func paletted(from image.Image) image.Image {
	box := from.Bounds()
	seen := map[color.RGBA]int{}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			seen[color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)]++
		}
	}
	all := make([]color.RGBA, 0, len(seen))
	for c := range seen {
		all = append(all, c)
	}
	slices.SortFunc(all, func(x, y color.RGBA) int { return cmp.Compare(seen[y], seen[x]) })
	var palette color.Palette
	for _, c := range all {
		if len(palette) < colours && !slices.ContainsFunc(palette, func(p color.Color) bool { return alike(p.(color.RGBA), c) }) {
			palette = append(palette, c)
		}
	}
	place := make(map[color.RGBA]uint8, len(all))
	for _, c := range all {
		place[c] = uint8(palette.Index(c))
	}
	to := image.NewPaletted(box, palette)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			to.SetColorIndex(x, y, place[color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)])
		}
	}
	return to
}

// alike tells that the eye takes two colours for one: else the greys of letters' edges take the place of a small green dot.
func alike(x, y color.RGBA) bool {
	r, g, b := int(x.R)-int(y.R), int(x.G)-int(y.G), int(x.B)-int(y.B)
	return r*r+g*g+b*b < 100
}
