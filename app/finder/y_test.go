package finder
import ("testing";"fmt";"beagle/app/mailworld")
func TestY(t *testing.T){
	w := mailworld.New(mailworld.Options{Seed: 11, Companies: 60, People: 900, Mix: map[mailworld.Behaviour]int{mailworld.Accurate: 8, mailworld.Microsoft: 1, mailworld.PlainText: 1}})
	f, _ := asker(t, w)
	truths := w.Truths()
	for i,r := range findTruths(t, f, truths) {
		truth:=truths[i]
		if truth.Kind=="found" && r.Status!="valid" { fmt.Println(truth.Person.Full,"|",truth.Person.First,"|",truth.Person.Last, truth.Email, r.Status, r.Reason, r.Email, truth.Company.Pattern,truth.Company.Behaviour,r.Evidence.Patterns, r.Evidence.Asked) 
	}}
}
