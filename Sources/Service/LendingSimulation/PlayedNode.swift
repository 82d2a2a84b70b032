// A node that is played: who has it, what its pod has done, and how it changes hands by each method.

import Bebida

/// How nodes change hands.
enum Method: String, Sendable, CaseIterable {
  /// They don't: jobs alone.
  case alone
  /// As it was published: a prologue and an epilogue of fixed length around each job, whatever its size.
  case published
  /// Before a job its nodes are drained one after the other; after it they are given back.
  case scripts
  /// As the lender does it: its own decision (`Reconciler`), with the times that were measured.
  case bebida
  /// The same with pods that hand nothing over before they go.
  case abrupt

  /// Whether the lender decides.
  var isOurs: Bool { self == .bebida || self == .abrupt }
}

/// Seconds that things take.
enum PlayedTimes {
  /// A look.
  static let step = 0.25
  /// From a node's opening to the first work of a pod on it.
  static let podStart = 3.0
  /// The published prologue and epilogue, in which the job has its nodes: together less than 16 s, as the slides say.
  static let prologue = 10.0
  static let epilogue = 5.0
  /// The drain scripts: a node with pods that use up their grace of 5 s, and one without.
  static let drain = 6.0
  static let emptyDrain = 0.4
  /// The drain scripts give a node back.
  static let uncordon = 0.5
  /// A pod that is asked to go hands its work over and goes.
  static let goodbye = 1.0
}

/// What pods have done, in seconds of nodes.
struct PodWork: Sendable, Hashable {
  var useful = 0.0
  var lost = 0.0
}

struct PlayedNode {
  /// The job that has it.
  var job: Int?
  /// When the next job is planned on it.
  var nextStart: Double?
  /// Since when its pod works; in the future while it is being started; `nil` without a pod.
  private(set) var podSince: Double?
  private(set) var work = PodWork()
  /// What is done after the end is not counted.
  let end: Double
  /// Whether a pod that is asked to go is given the time to hand over what it has done of its stage, as Spark does it
  /// with `spark.decommission`: then only its present task is lost.
  let handsOver: Bool

  // The drain scripts.
  private var isOpen: Bool
  private var opensAt: Double?

  // The lender.
  private var record: NodeRecord
  private var agent = AgentView(isConnected: true, epoch: 1, isOpen: true)
  private var marks = Marks.none
  private var marksEpoch: Int64 = 0
  private var podEndsAt: Double?

  init(number: Int, end: Double, handsOver: Bool) {
    (self.end, self.handsOver) = (end, handsOver)
    record = NodeRecord(name: "n\(number)", phase: .lent, since: .zero)
    isOpen = true
  }

  /// Whether pods may be on it, or come.
  var isOnItsWay: Bool { record.phase != .lent && record.phase != .batch }

  // MARK: The drain scripts

  /// - Returns: seconds that the drain takes.
  mutating func drain(at now: Double) -> Double {
    opensAt = nil
    isOpen = false
    guard podSince != nil else { return PlayedTimes.emptyDrain }
    return PlayedTimes.drain
  }

  mutating func endOfDrain(at now: Double, _ application: Application) {
    endPod(at: now, application, handsOver: false)
  }

  mutating func uncordon(at now: Double) { opensAt = now + PlayedTimes.uncordon }

  mutating func stepOfScripts(at now: Double) {
    if let opensAt, now >= opensAt {
      isOpen = true
      self.opensAt = nil
    }
    if isOpen, podSince == nil { podSince = now + PlayedTimes.podStart }
  }

  // MARK: The lender

  /// Decisions, and what comes of them, until only time brings the node further: marks and orders take milliseconds,
  /// as the tests of hand-overs show.
  ///
  /// - Returns: whether its job may start.
  mutating func stepOfLender(
    _ reconciler: Reconciler, at now: Double, _ application: Application
  ) -> Bool {
    if let podEndsAt, now >= podEndsAt { endPod(at: podEndsAt, application, handsOver: handsOver) }
    var before: NodeRecord
    var mayStart: Bool
    repeat {
      before = record
      mayStart = decide(reconciler, at: now, application)
    } while record != before || isWaitingForItself
    return mayStart
  }

  /// Whether its agent or its marks were told something that the next decision hears of.
  private var isWaitingForItself = false

  private mutating func decide(
    _ reconciler: Reconciler, at now: Double, _ application: Application
  ) -> Bool {
    isWaitingForItself = false
    let demand = BatchDemand(
      holders: job.map { ["\($0)"] } ?? [], nextStart: nextStart.map { .seconds($0) })
    let pods = podSince.map { _ in
      [PodView(namespace: "p", name: "p", uid: "p", isGoing: podEndsAt != nil)]
    }
    let moves = reconciler.decide(
      &record, demand: demand,
      kubernetes: KubernetesView(
        isCurrent: true, marks: marks, epoch: marksEpoch, pods: pods ?? []),
      agent: agent, now: .seconds(now))
    for move in moves { obey(move, at: now, application) }
    if record.phase == .lent, marks == .none, podSince == nil {
      podSince = now + PlayedTimes.podStart
    }
    return reconciler.mayStart(record, demand: demand, agent: agent)
  }

  private mutating func obey(_ move: Move, at now: Double, _ application: Application) {
    switch move {
    case .mark(let marks, let epoch):
      isWaitingForItself = self.marks != marks || marksEpoch != epoch
      (self.marks, marksEpoch) = (marks, epoch)
    case .evict(_, let grace), .delete(_, let grace):
      let seconds = Double(grace.components.seconds)
      podEndsAt = min(podEndsAt ?? .infinity, now + min(seconds, PlayedTimes.goodbye))
    case .close(let epoch):
      endPod(at: now, application, handsOver: false)
      hear(AgentView(isConnected: true, epoch: epoch, isProvenClean: true))
    case .open(let epoch): hear(AgentView(isConnected: true, epoch: epoch, isOpen: true))
    }
  }

  private mutating func hear(_ said: AgentView) {
    if said != agent { isWaitingForItself = true }
    agent = said
  }

  // MARK: The pod

  private mutating func endPod(at now: Double, _ application: Application, handsOver: Bool) {
    defer { (podSince, podEndsAt) = (nil, nil) }
    guard let since = podSince, since < end else { return }
    let ran = max(0, min(now, end) - since)
    let part = handsOver ? application.task : application.stage
    let lost = now < end ? ran.truncatingRemainder(dividingBy: part) : 0
    work.lost += lost
    work.useful += ran - lost
  }

  /// The end of all: nothing of what runs is lost.
  mutating func finish(_ application: Application) {
    endPod(at: end, application, handsOver: true)
  }
}
