package finder
import "testing"
func TestDbg(t *testing.T) {
	for _, c := range []struct{f, l string; id string; n int}{{"Øystein","Bergström","F.L",4},{"Christopher","Ingram","F.L",15},{"Aditya","Kapoor","F.L",7},{"Hugo","Marsh","F.L",7},{"Cristina","Serrano","F",10},{"Silke","Schröder","fL",5}} {
		n, _ := ParseName(c.f, c.l, "")
		post := newPosterior("other", map[string]Count{c.id: {Hits: c.n}}, false)
		q := &question{f: New(nil, nil, Options{}), post: post, cands: rank(n, post)}
		var tot float64
		for _, c := range q.cands { tot += c.p }
		for i, c := range q.cands {
			if i < 26 { t.Logf("%s %d %.5f %s %v", c.local, c.class, c.p/tot, templates().all[c.template].ID, c.kind) }
		}
		t.Log("----")
	}
}
