// Lending this host to Kubernetes and taking it back: the order that counts, what is done about it, and the proof.
// An order is on the disk before anything is done. A host that was never told anything knows no pods, and runs
// jobs as if there was no Kubernetes.

import CLinux
import Glibc
import Wire

final class Lending {
  /// Seconds between two looks at processes that were told to end, and at a closed host.
  private static let endPause = 0.005
  private static let guardPause = 0.5
  /// Seconds after which processes that do not end are a problem.
  private static let patience = 5.0

  private let loop: EventLoop
  private let groups: any ControlGroups
  private let record: LendingRecord
  /// Hears of every change.
  var tell: (LendingReport) -> Void = { _ in }
  private(set) var order: LendingOrder?
  private(set) var report = LendingReport()
  private var told = LendingReport()
  /// Counts the orders, so that what belongs to an earlier one is dropped.
  private var step = 0
  private var timer: TimerToken?
  private let watch: GroupWatch

  init(loop: EventLoop, groups: any ControlGroups, state: String) {
    (self.loop, self.groups) = (loop, groups)
    watch = GroupWatch(loop: loop)
    record = LendingRecord(directory: state)
  }

  /// Takes up what an earlier agent was told. A closed host is closed and looked at again, whoever asks.
  ///
  /// - Throws: if the record can't be read.
  func takeUp() throws(SystemError) {
    order = try record.read()
    guard let order else { return }
    report = LendingReport(epoch: order.epoch, isOpen: false)
    begin(order)
  }

  /// Whether it was ever told anything.
  var isConcerned: Bool { order != nil }

  /// Why a job may not start here; `nil` if it may.
  var obstacle: String? {
    guard let order else { return nil }
    if order.opens || report.isOpen { return "it is lent to Kubernetes" }
    return report.isProvenClean ? nil : "processes of pods may be left on it"
  }

  // MARK: Orders

  func obey(_ new: LendingOrder) {
    if let order {
      guard new.epoch >= order.epoch else { return tell(report) }
      // The same epoch never changes its direction.
      guard new.epoch > order.epoch || new.opens == order.opens else { return tell(report) }
      if new == order, report.problem.isEmpty { return tell(report) }
      if report.isProvenClean, new.amends(order) { return amend(new) }
    }
    do {
      try record.write(new)
    } catch {
      report.problem = "\(error)"
      return tell(report)
    }
    order = new
    (report.epoch, report.isProvenClean, report.problem) = (new.epoch, false, "")
    begin(new)
  }

  private func begin(_ order: LendingOrder) {
    step += 1
    if let timer { loop.cancel(timer) }
    timer = nil
    watch.end()
    if order.opens { open(order) } else { close(order) }
  }

  private func after(_ seconds: Double, _ action: @escaping () -> Void) {
    let step = step
    if let timer { loop.cancel(timer) }
    timer = loop.after(seconds) { [weak self] in
      if self?.step == step { action() }
    }
  }

  private func settle(_ change: (inout LendingReport) -> Void) {
    change(&report)
    guard report != told else { return }
    told = report
    tell(report)
  }

  /// Other pods may stay on a host that is closed and clean: it stays so.
  private func amend(_ new: LendingOrder) {
    do {
      try record.write(new)
    } catch {
      report.problem = "\(error)"
      return tell(report)
    }
    order = new
    PodGroups(groups: groups, keeping: new.keeping).thawSpared()
    guardHost()
    tell(report)
  }

  // MARK: Opening

  private func open(_ order: LendingOrder) {
    do {
      try PodGroups(groups: groups, keeping: order.keeping).thaw()
    } catch {
      return fail("\(error)")
    }
    run(order.keeping.start) { [weak self] in self?.settle { $0.isOpen = true } }
  }

  // MARK: Closing

  /// The kubelet goes first: it would start again what is ended.
  private func close(_ order: LendingOrder) {
    report.isOpen = false
    let pods = PodGroups(groups: groups, keeping: order.keeping)
    run(order.keeping.stop) { [weak self] in
      self?.end(pods, since: EventLoop.monotonicNanoseconds)
    }
  }

  /// Ends processes until none is left.
  private func end(_ pods: PodGroups, since began: UInt64) {
    // Before it is looked: nothing comes to be unseen. Where there is no freezer processes are ended all the same.
    watch.begin(pods.openDirectories) { [weak self] in self?.guardHost() }
    pods.freeze()
    let left = pods.processes
    guard !left.isEmpty else { return prove() }
    pods.killAll()
    report.killed += left.count
    if Double(EventLoop.monotonicNanoseconds - began) / 1e9 > Self.patience {
      let names = left.prefix(5).map(String.init).joined(separator: ", ")
      settle { $0.problem = "processes of pods can't be ended: \(names)" }
    }
    after(Self.endPause) { [weak self] in self?.end(pods, since: began) }
  }

  private func prove() {
    settle { ($0.isProvenClean, $0.problem) = (true, "") }
    after(Self.guardPause) { [weak self] in self?.guardHost() }
  }

  /// What the kubelet puts there all the same is frozen, and ended. A cgroup that comes to be is frozen at once, before
  /// a process is put into it.
  private func guardHost() {
    guard report.isProvenClean, let order else { return }
    let pods = PodGroups(groups: groups, keeping: order.keeping)
    watch.begin(pods.openDirectories) { [weak self] in self?.guardHost() }
    pods.freeze()
    let newcomers = pods.processes
    if !newcomers.isEmpty {
      pods.killAll()
      pods.freeze()
      settle { $0.killed += newcomers.count }
    }
    after(Self.guardPause) { [weak self] in self?.guardHost() }
  }

  // MARK: The kubelet

  private func run(_ words: [String], then done: @escaping () -> Void) {
    guard let program = words.first, let order else { return done() }
    let step = step
    HelperProgram.run(
      program, Array(words.dropFirst()), loop: loop, patience: order.keeping.limit
    ) { [weak self] result in
      guard let self, self.step == step else { return }
      switch result {
      case .success(let output) where output.status == 0: done()
      case .success(let output):
        fail("\(words.joined(separator: " ")) \(ChildEnd(status: output.status))")
      case .failure(let error): fail("\(words.joined(separator: " ")): \(error)")
      }
    }
  }

  /// The server says again what it wants.
  private func fail(_ problem: String) {
    settle { $0.problem = problem }
  }
}

extension LendingOrder {
  /// Whether it closes the host as another one did, and only other pods may stay.
  fileprivate func amends(_ other: LendingOrder) -> Bool {
    var same = other
    same.keeping.spared = keeping.spared
    return self == same && !opens
  }
}
