// Jobs whose types or reservations can't be understood or satisfied.

import ClusterModel
import Kamelot

extension Poison {
  static var types: [Poison] {
    let inner = [
      ["inner=ghost"], ["inner=901"], ["inner=77"], ["inner=1"], ["inner=a", "container=a"],
      ["inner=ghost", "container=b"], ["inner=901", "container"], ["inner=ghost", "besteffort"],
      ["inner=ghost", "timesharing=*,*"],
    ]
    let late = [
      ["deadline=1970-01-01 00:16:40"], ["deadline=1970-01-01"], ["deadline=1970-01-01 00:16:49"],
      ["expire=1970-01-01 00:16:39"], ["expire=1970-01-01"],
      ["postpone=1970-01-02", "deadline=1970-01-01 20:00"],
    ]
    return inner.map { Poison("\($0)", [typed($0)]) }
      + late.map { Poison("\($0)", [typed($0)], needs: .dates) }
      + malformedTypes.map { type in
        let known = ["inner=", "inner", "postpone", "deadline", "expire"]
        let isRefusedAnyway = known.contains { type.hasPrefix($0) }
        return Poison(
          "type \(type.prefix(40))", [typed([type])], needs: isRefusedAnyway ? nil : .typeChecks)
      }
      + [
        Poison(
          "inside of a job that comes later",
          [typed(["inner=late"]), waiting(0, ("/host=9", 10), types: ["container=late"])]),
        Poison(
          "inside of each other",
          [typed(["inner=x", "container=y"]), typed(["inner=y", "container=x"])]),
        Poison("many types", [typed((0..<500).map { "inner=ghost\($0)" })]),
      ]
  }

  private static func typed(_ types: [String]) -> WaitingJob {
    waiting(0, ("/host=1", 10), types: types)
  }

  private static let malformedTypes = [
    "inner=", "inner", "inner=a b", "postpone=never", "postpone=", "postpone",
    "postpone=2030-02-30", "postpone=9999-01-01", "deadline=tomorrow", "deadline=",
    "deadline=1970-13-01", "expire=soon", "expire=", "expire=-1",
    "timesharing", "timesharing=", "timesharing=a,b", "timesharing=user", "timesharing=*,*,*",
    "container=", "container=bad name!", "placeholder", "placeholder=", "allowed", "allowed=;",
    "state=broken", "state=", "token:=1", "token:x=0", "token:x=-1", "token:x", "noop=awake",
    "deploy=maybe", "cosystem=yes", "besteffort=1", "idempotent=1",
    "desktop_computing=1",
    "container=" + String(repeating: "c", count: 10_000),
  ]

  static var reservations: [Poison] {
    let resources: [ResourceID] = [1, 2]
    var bad: [(String, WaitingJob)] = [
      ("over since long", new(from: 0, for: 100)), ("over since a second", new(from: 990, for: 10)),
      ("before all time", new(from: .min, for: 10)), ("after all time", new(from: .max, for: 10)),
      ("near the end of all time", new(from: .max - 5, for: 10)),
      ("without a walltime", new(from: 5000, for: 0)),
      ("with a negative walltime", new(from: 5000, for: -100)),
      ("with too long a walltime", new(from: 5000, for: .max)),
      ("beyond the cluster", reserved(0, "/host=3", from: 5000, for: 10)),
      ("of what there is not", reserved(0, "/no_such=1", from: 5000, for: 10)),
      ("of no resources", reserved(0, "/host=1", from: 900, for: 500, on: [])),
      ("of resources that are gone", reserved(0, "/host=1", from: 600, for: 900, on: [77, 78])),
    ]
    for moldable in [7, -1, Int.max] {
      var job = reserved(0, "/host=1", from: 90_000, for: 60, on: resources)
      job.reservation?.promised?.moldable = moldable
      bad.append(("of its moldable \(moldable)", job))
    }
    var empty = waiting(0)
    empty.reservation = Reservation(start: 5000)
    bad.append(("without a request", empty))
    empty.reservation?.promised = .init(moldable: 0, resources: resources)
    bad.append(("promised without a request", empty))
    for start in [Instant.max, .max - 3] {
      bad.append(
        ("promised at \(start)", reserved(0, "/host=1", from: start, for: 10, on: resources)))
    }
    bad.append(("over, promised", reserved(0, "/host=1", from: 0, for: 10, on: resources)))
    bad.append(
      ("over since ever, promised", reserved(0, "/host=1", from: .min, for: 10, on: resources)))
    return bad.map { Poison("a reservation \($0.0)", [$0.1]) }
  }

  private static func new(from start: Instant, for walltime: Seconds) -> WaitingJob {
    reserved(0, "/host=1", from: start, for: walltime)
  }
}
