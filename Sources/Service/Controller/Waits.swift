// Waits for hosts have an end: an agent that is connected and does not answer holds no job for ever.

import ClusterModel
import Wire

/// What the server waits for from the hosts of a job.
enum Wait: Int, CaseIterable {
  /// All other hosts have prepared it.
  case preparation
  /// Its first host says that the command runs, or why it can't.
  case start
  /// All other hosts are clean.
  case release
  /// The command is gone after it was told to end.
  case end

  /// Seconds until the host is taken to be broken. The longest is OAR's JOBDEL_WALLTIME.
  var limit: UInt64 {
    switch self {
    case .preparation, .release: 60
    case .start: 120
    case .end: 300
    }
  }
}

/// Running waits, cheapest to begin: nobody takes out those that were answered.
struct Waits {
  /// One wait of a job in one of its phases.
  struct Entry {
    let wait: Wait
    let job: JobID
    let step: Int
    fileprivate let deadline: UInt64
  }

  /// For each kind, in order of deadlines, because all of a kind are equally long.
  private var lines = [[Entry]](repeating: [], count: Wait.allCases.count)
  private var heads = [Int](repeating: 0, count: Wait.allCases.count)

  /// Begins a wait; `extra` seconds are the same for all of its kind.
  mutating func begin(_ wait: Wait, of job: JobID, step: Int, at now: UInt64, extra: Int = 0) {
    let deadline = now + (wait.limit + UInt64(max(0, extra))) * 1_000_000_000
    lines[wait.rawValue].append(Entry(wait: wait, job: job, step: step, deadline: deadline))
  }

  /// Takes out the waits that are over at `now`, answered or not.
  mutating func over(at now: UInt64) -> [Entry] {
    var over: [Entry] = []
    for line in lines.indices {
      while heads[line] < lines[line].count, lines[line][heads[line]].deadline <= now {
        over.append(lines[line][heads[line]])
        heads[line] += 1
      }
      if heads[line] > 1024, heads[line] * 2 > lines[line].count {
        lines[line].removeFirst(heads[line])
        heads[line] = 0
      }
    }
    return over
  }
}

extension Controller {
  /// Goes on to a phase of a job, and begins its wait.
  func enter(
    _ phase: Execution.Phase, _ id: JobID, awaiting hosts: some Sequence<String> = []
  ) {
    executions[id]?.enter(phase, awaiting: hosts)
    switch phase {
    case .preparing: begin(.preparation, of: id)
    case .starting: begin(.start, of: id)
    case .releasing: begin(.release, of: id)
    case .running: break
    }
  }

  func begin(_ wait: Wait, of id: JobID) {
    guard let step = executions[id]?.step else { return }
    waits.begin(
      wait, of: id, step: step, at: EventLoop.monotonicNanoseconds,
      extra: wait == .end ? settings.killGrace : 0)
  }

  /// Acts on the waits that are over and were not answered.
  func endWaits(at time: UInt64, _ now: Instant) {
    for entry in waits.over(at: time) {
      guard state.jobs[entry.job] != nil, let execution = executions[entry.job],
        execution.step == entry.step
      else { continue }
      giveUp(entry.wait, of: entry.job, execution, at: now)
    }
  }

  private func giveUp(_ wait: Wait, of id: JobID, _ execution: Execution, at now: Instant) {
    let awaited =
      wait == .preparation || wait == .release
      ? execution.pending.subtracting([Execution.serverHook, Execution.lender]).sorted()
      : execution.head.map { [$0] } ?? []
    // A host that is not connected has time until it is declared lost.
    let broken = awaited.filter { links[$0].map { $0.isConnected || $0.isDeclaredLost } ?? true }
    guard !broken.isEmpty else { return begin(wait, of: id) }
    let names = broken.joined(separator: ", ")
    switch (wait, execution.phase) {
    case (.preparation, .preparing):
      abandon(id, "\(names) did not prepare job \(id) in time", suspects: broken)
    case (.start, .starting):
      sendKill(execution, grace: 0)
      failLaunch(id, .host, "\(names) did not start job \(id) in time", suspects: broken)
    case (.release, .releasing):
      suspect(broken, after: id, "\(names) did not clean up after job \(id) in time", at: now)
      for host in broken { released(id, on: host) }
    case (.end, .starting), (.end, .running):
      suspect(broken, after: id, "job \(id) could not be ended on \(names)", at: now)
      finish(id, status: nil, cause: .lost, at: now)
    default: break
    }
  }

  private func suspect(_ hosts: [String], after id: JobID, _ text: String, at now: Instant) {
    log.say(text)
    var outcome = Outcome()
    outcome.changes.append(
      .event(JobEvent("EXTERMINATE_JOB", job: id, at: now, text, hosts: hosts)))
    state.suspectHosts(hosts, at: now, &outcome)
    commit(outcome)
  }
}
