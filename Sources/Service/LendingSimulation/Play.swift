// A run: jobs come, Liburna's planner places them, nodes change hands by one of the methods.

import Bebida
import ClusterModel
import Kamelot
import Kao

/// What came of a run.
struct PlayedOutcome: Sendable, Hashable {
  /// Seconds that jobs waited in the mean, from their arrival to their first process.
  var wait: Double
  /// Shares of all nodes' time: of jobs, and of jobs and pods.
  var jobUse: Double
  var use: Double
  /// The share of pods' work that was not lost.
  var effectiveness: Double
}

struct Play {
  private struct Running {
    let job: PlayedJob
    let nodes: [Int]
    let launched: Double
    /// When it may begin, by the drain scripts; and when it began.
    var clearAt: Double?
    var began: Double?
  }

  let method: Method
  let application: Application
  /// Seconds that are looked at.
  let length: Int
  private let reconciler = Reconciler(policy: LendingPolicy())
  private let platform: Platform
  private var nodes: [PlayedNode]
  private var coming: ArraySlice<PlayedJob>
  private var waiting: [PlayedJob] = []
  private var running: [Running] = []
  private var drains: [(at: Double, node: Int)] = []
  private var waits: [Double] = []
  private var jobTime = 0.0
  private var nextLook: Instant?

  init(
    _ jobs: [PlayedJob], nodes count: Int, length: Int, method: Method, application: Application
  ) {
    (self.method, self.application, self.length) = (method, application, length)
    coming = jobs[...]
    nodes = (0..<count).map {
      PlayedNode(number: $0, end: Double(length), handsOver: method == .bebida)
    }
    platform = Platform(
      resources: (1...count).map { id in
        var resource = Resource(id: id)
        resource.networkAddress = "n\(id)"
        return resource
      })
  }

  /// Plays until the last job has ended.
  mutating func outcome() -> PlayedOutcome {
    let total = coming.count
    var step = 0
    while waits.count < total || !running.isEmpty {
      let now = Double(step) * PlayedTimes.step
      var isNew = arrive(at: now)
      if end(at: now) { isNew = true }
      if isNew || nextLook.map({ Double($0) <= now }) == true { plan(at: now) }
      changeHands(at: now, isWholeSecond: step % 4 == 0)
      step += 1
    }
    return result()
  }

  private func result() -> PlayedOutcome {
    var work = PodWork()
    for var node in nodes {
      node.finish(application)
      work.useful += node.work.useful
      work.lost += node.work.lost
    }
    let all = Double(nodes.count * length)
    let pods = method == .alone ? 0 : work.useful + work.lost
    return PlayedOutcome(
      wait: waits.reduce(0, +) / Double(waits.count), jobUse: jobTime / all,
      use: (jobTime + pods) / all,
      effectiveness: pods > 0 ? work.useful / pods : 1)
  }

  // MARK: Jobs

  private mutating func arrive(at now: Double) -> Bool {
    var isNew = false
    while let job = coming.first, Double(job.arrival) <= now {
      waiting.append(job)
      coming.removeFirst()
      isNew = true
    }
    return isNew
  }

  private mutating func end(at now: Double) -> Bool {
    let over = running.filter { run in
      guard let began = run.began else { return false }
      return now - began >= Double(run.job.runtime)
        + (method == .published ? PlayedTimes.epilogue : 0)
    }
    guard !over.isEmpty else { return false }
    for run in over {
      guard let began = run.began else { continue }
      let seconds = max(0, min(began + Double(run.job.runtime), Double(length)) - began)
      jobTime += seconds * Double(run.nodes.count)
      for node in run.nodes {
        nodes[node].job = nil
        if !method.isOurs { nodes[node].uncordon(at: now) }
      }
    }
    let ended = Set(over.map(\.job.id))
    running.removeAll { ended.contains($0.job.id) }
    return true
  }

  private mutating func plan(at now: Double) {
    var settings = PlanningSettings()
    settings.jobSecurityTime = 0
    let holding = running.map { run in
      HoldingJob(
        id: run.job.id, resources: run.nodes.map { $0 + 1 }, start: Int(run.began ?? run.launched),
        walltime: run.job.walltime, isBesteffort: false, isEnding: false)
    }
    let plan = Kao.plan(
      Snapshot(
        now: Int(now), platform: platform, settings: settings, holding: holding,
        waiting: waiting.map(\.request)))
    nextLook = plan.nextLook
    for node in nodes.indices { nodes[node].nextStart = nil }
    for placement in plan.predictions {
      for id in placement.resources {
        let start = min(nodes[id - 1].nextStart ?? .infinity, Double(placement.start))
        nodes[id - 1].nextStart = start
      }
      nextLook = min(nextLook ?? placement.start, placement.start)
    }
    for placement in plan.starts { launch(placement, at: now) }
  }

  private mutating func launch(_ placement: Placement, at now: Double) {
    guard let index = waiting.firstIndex(where: { $0.id == placement.job }) else { return }
    let job = waiting.remove(at: index)
    var run = Running(job: job, nodes: placement.resources.map { $0 - 1 }, launched: now)
    var clear = now
    for node in run.nodes {
      nodes[node].job = job.id
      guard method == .scripts || method == .published else { continue }
      let seconds = nodes[node].drain(at: now)
      if method == .scripts { clear += seconds } else { clear = now + PlayedTimes.prologue }
      drains.append((clear, node))
    }
    run.clearAt = clear
    running.append(run)
  }

  // MARK: Nodes

  private mutating func changeHands(at now: Double, isWholeSecond: Bool) {
    var clean: Set<Int> = []
    switch method {
    case .alone: break
    case .published, .scripts:
      for drain in drains where drain.at <= now {
        nodes[drain.node].endOfDrain(at: drain.at, application)
      }
      drains.removeAll { $0.at <= now }
      for node in nodes.indices { nodes[node].stepOfScripts(at: now) }
    case .bebida, .abrupt:
      for node in nodes.indices
      where isWholeSecond || nodes[node].isOnItsWay || nodes[node].job != nil {
        if nodes[node].stepOfLender(reconciler, at: now, application) { clean.insert(node) }
      }
    }
    for index in running.indices where running[index].began == nil {
      let run = running[index]
      let isClear =
        method.isOurs
        ? run.nodes.allSatisfy(clean.contains) : run.clearAt.map { $0 <= now } == true
      guard isClear else { continue }
      running[index].began = now
      waits.append(now - Double(run.job.arrival))
    }
  }
}

extension PlayedJob {
  /// As its user asks for it.
  fileprivate var request: WaitingJob {
    WaitingJob(
      id: id, user: "user", queue: "default",
      moldables: [
        Moldable(
          walltime: walltime,
          groups: [RequestGroup(levels: [RequestLevel("network_address", .exactly(nodes))])])
      ])
  }
}
