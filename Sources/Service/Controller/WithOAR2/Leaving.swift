// Going back to OAR 2's own server: what our server must have brought to an end before Almighty may start.
// Jobs that run go on; their shepherds tell Almighty of their ends.

import ClusterModel
import Glibc
import Storage
import Wire

extension ServerSettings {
  /// Two servers on one database would start jobs twice.
  ///
  /// - Throws: ``StorageError`` with a sentence if a server of OAR's answers.
  func refuseBesideAlmighty() throws {
    guard let oar2 = withOAR2, port > 0 else { return }
    guard let other = try? Sockets.connect(host: oar2.serverHost, port: port) else { return }
    close(other)
    throw StorageError.unusable(
      "a server answers at \(oar2.serverHost):\(port) already: stop OAR 2's Almighty "
        + "(systemctl stop oar-server), or the other liburnad, before this one is started")
  }
}

extension Controller {
  /// Seconds that a stop waits for hosts that are about to start a job or to clean up after one.
  static let leavePatience = 10.0
  /// Seconds that leaving after a crash waits for hosts to say what they run.
  static let arrivalPatience = 30.0

  // MARK: The end

  /// Brings to an end what OAR 2 can't go on with. Nothing new begins meanwhile.
  func leaveToOAR2() async {
    guard withOAR2 != nil else { return }
    await wait(Self.leavePatience) { !self.unsettledJobs.contains { self.mayHear(of: $0) } }
    for id in unsettledJobs { abandonForOAR2(id) }
    // Jobs that are to be submitted again wait for their ids.
    await wait(1) {
      !self.committer.hasWork && !self.committer.isWriting && self.withOAR2?.owed.isEmpty ?? true
    }
  }

  /// Makes the database one that OAR 2 can go on with, after a server of ours that did not stop by itself;
  /// starts nothing.
  public func leave() async throws {
    guard settings.withOAR2 != nil else {
      throw StorageError.unusable(
        "there is nothing to leave: the database is not shared with an OAR 2 (LIBURNA_WITH_OAR2)")
    }
    try settings.refuseBesideAlmighty()
    try await connectToHosts(listening: false)
    await wait(Self.arrivalPatience) {
      self.withOAR2?.undecided.isEmpty ?? true && self.unsettledJobs.isEmpty
    }
    await stop()
  }

  /// Jobs of ours between two states that OAR 2 does not know how to go on from.
  private var unsettledJobs: [JobID] {
    executions.filter { id, execution in
      !isOARs(id) && !execution.hosts.isEmpty && !execution.isRunning && state.jobs[id] != nil
    }.keys.sorted()
  }

  /// Whether a host that is connected owes an answer about a job.
  private func mayHear(of id: JobID) -> Bool {
    guard let execution = executions[id] else { return false }
    let awaited = execution.pending.isEmpty ? Set(execution.hosts.prefix(1)) : execution.pending
    return awaited.contains { links[$0]?.isConnected == true }
  }

  private func abandonForOAR2(_ id: JobID) {
    guard let execution = executions[id] else { return }
    switch execution.phase {
    case .preparing:
      failLaunch(id, .interrupted, "the server stopped before job \(id) began", suspects: [])
    case .starting:
      log.say(
        "job \(id) was about to begin on \(execution.head ?? "its host"), which did not say so")
    case .releasing:
      for host in execution.pending { released(id, on: host) }
    case .running: break
    }
  }

  /// Waits until something holds, at most so many seconds.
  private func wait(_ seconds: Double, until isDone: () -> Bool) async {
    let deadline = EventLoop.monotonicNanoseconds + UInt64(seconds * 1e9)
    while !isDone(), EventLoop.monotonicNanoseconds < deadline {
      await withCheckedContinuation { continuation in
        loop.after(0.02) { continuation.resume() }
      }
    }
  }
}
