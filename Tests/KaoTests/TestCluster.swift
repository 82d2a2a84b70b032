// Small clusters and jobs for tests.

import ClusterModel
import Kamelot
import RequestLanguage

/// A cluster of hosts `h1`, `h2`, … of equal size.
func testPlatform(hosts: Int, coresPerHost: Int, down: Set<ResourceID> = []) -> Platform {
  Platform(
    resources: (1...hosts * coresPerHost).map { id in
      var resource = Resource(id: id)
      resource.networkAddress = "h\((id - 1) / coresPerHost + 1)"
      resource.properties["host"] = .text(resource.networkAddress)
      resource.properties["core"] = .integer(id)
      if down.contains(id) { resource.state = .suspected }
      return resource
    })
}

/// A waiting job that asks for `requests`, each as users write it with `walltime=` in seconds.
func waiting(
  _ id: JobID, _ requests: (String, Seconds)..., queue: String = "default", types: [String] = [],
  properties: String = "", after dependencies: [Dependency] = []
) -> WaitingJob {
  let moldables = requests.map { request, walltime in
    let parsed = try? ResourceRequestParser.parse(request, nodesProperty: "network_address")
    return Moldable(walltime: walltime, groups: parsed?.groups ?? [])
  }
  return WaitingJob(
    id: id, user: "alice", queue: queue, types: types, properties: properties,
    moldables: moldables, dependencies: dependencies)
}

func holding(
  _ id: JobID, _ resources: [ResourceID], start: Instant = 0, walltime: Seconds,
  besteffort: Bool = false, ending: Bool = false
) -> HoldingJob {
  HoldingJob(
    id: id, resources: resources, start: start, walltime: walltime, isBesteffort: besteffort,
    isEnding: ending)
}

/// A snapshot at 1000 s without security time.
func snapshot(
  _ platform: Platform, holding: [HoldingJob] = [], waiting: [WaitingJob], now: Instant = 1000,
  queues: [Queue] = Queue.standard
) -> Snapshot {
  var settings = PlanningSettings()
  settings.jobSecurityTime = 0
  settings.usesSleepingHosts = true
  return Snapshot(
    now: now, platform: platform, settings: settings, queues: queues, holding: holding,
    waiting: waiting)
}

extension Plan {
  /// The place of a job, whether it starts now or later.
  func placement(of job: JobID) -> Placement? {
    starts.first { $0.job == job } ?? predictions.first { $0.job == job }
  }

  /// The jobs that start now.
  var started: [JobID] { starts.map(\.job) }
}
