// Plans that OAR 3's kamelot made, first in first out.

import ClusterModel
import Kamelot
import Kao
import Testing

struct VectorTests {
  @Test("every plan that OAR 3 made is made again, to the resource")
  func plansOfTheOriginal() throws {
    let vectors = try Vector.load("kamelot-vectors.jsonl")
    #expect(vectors.count >= 18)
    for vector in vectors {
      let plan = Kao.plan(vector.scenario.snapshot())
      let made = (plan.starts + plan.predictions).sorted { $0.job < $1.job }.map {
        Vector.PlannedJob(
          job: $0.job, start: $0.start, end: $0.end, moldable: $0.moldable,
          resources: rangesText(of: $0.resources))
      }
      #expect(made == vector.plan, "\(vector.scenario.name)")
    }
  }
}
