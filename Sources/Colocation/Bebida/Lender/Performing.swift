// Doing what was decided for a host. Each call goes on by itself; what it finds is looked at by the next decision,
// which repeats what is still to be done.

import KubernetesClient
import Wire

extension Lender {
  /// An order that is not answered is repeated after this.
  private static let orderPause = Duration.seconds(1)
  /// Pauses after calls that failed, doubled up to the limit, and after a budget said no.
  private static let firstPause = Duration.milliseconds(100)
  private static let longestPause = Duration.seconds(5)
  private static let budgetPause = Duration.milliseconds(500)

  func perform(_ move: Move, on name: String, now: Duration) {
    switch move {
    case .mark(let marks, let epoch): mark(name, marks, epoch, now: now)
    case .evict(let pod, let grace): say(goodbye: pod, grace, isTold: false, on: name, now: now)
    case .delete(let pod, let grace): say(goodbye: pod, grace, isTold: true, on: name, now: now)
    case .close(let epoch): order(name, epoch, opens: false, now: now)
    case .open(let epoch): order(name, epoch, opens: true, now: now)
    }
  }

  // MARK: The agent

  private func order(_ name: String, _ epoch: Int64, opens: Bool, now: Duration) {
    guard let host = hosts[name], host.agent.isConnected else { return }
    var keeping = settings.keeping
    if !opens, let node = nodeOfHost[name] { keeping.spared = spared(on: node) }
    let order = LendingOrder(epoch: epoch, opens: opens, keeping: keeping)
    if let last = host.order, last.order == order, now - last.at < Self.orderPause { return }
    hosts[name]?.order = (order, now)
    side.order(order, name)
  }

  /// Tells the agent of a closed host that other pods may stay by now: a DaemonSet's were made anew.
  func amendOrder(of name: String) {
    guard !settings.daemonSets.isEmpty, following.isCurrent, let host = hosts[name],
      host.record.phase == .batch, host.agent.isProvenClean, let node = nodeOfHost[name],
      host.order?.order.keeping.spared != spared(on: node)
    else { return }
    order(name, host.record.epoch, opens: false, now: Self.now)
  }

  /// The uids of the pods that may stay.
  private func spared(on node: String) -> [String] {
    (pods[node] ?? [:]).values.filter {
      PodView($0, allowing: settings.daemonSets)?.mayStay == true
    }.map(\.metadata.uid).sorted()
  }

  // MARK: Marks

  private func mark(_ name: String, _ marks: Marks, _ epoch: Int64, now: Duration) {
    guard let host = hosts[name], !host.isMarking, now >= host.nextMark,
      let nodeName = nodeOfHost[name], let node = nodes[nodeName],
      let steps = node.steps(to: marks, epoch: epoch, reason: host.record.reason), !steps.isEmpty
    else { return }
    change(name, node, .json(steps))
  }

  /// Tells pods of known length how long a lent node stays free.
  func publish(_ name: String, now: Duration) {
    guard let host = hosts[name], host.record.phase == .lent, following.isCurrent,
      !host.isMarking, now >= host.nextMark, let nodeName = nodeOfHost[name],
      let node = nodes[nodeName]
    else { return }
    let policy = settings.policy
    let end = host.demand.nextStart.map { $0 - policy.grace - policy.margin - now }
    guard
      let label = NodeWords.freeUntil(after: end, was: node.metadata.labels[NodeWords.freeUntil])
    else { return }
    change(name, node, .merge(NodeWords.labelPatch(label)))
  }

  private func change(_ name: String, _ node: Node, _ patch: Patch) {
    hosts[name]?.isMarking = true
    Task {
      do {
        take(
          try await client.patch(Node.self, node.name, patch, ifVersion: node.metadata.version))
        hosts[name]?.failedMarks = 0
      } catch let error as KubernetesError where error.isConflict {
        await lookAgain(at: node.name)
      } catch {
        failed(name, error, doing: "change the node \(node.name)")
      }
      hosts[name]?.isMarking = false
      reconsider(name)
    }
  }

  /// Somebody else changed the node, or we did and were not told.
  private func lookAgain(at node: String) async {
    if let fresh = try? await client.get(Node.self, node) { take(fresh) }
  }

  private func take(_ node: Node) {
    if nodes[node.name] != nil { nodes[node.name] = node }
  }

  private func failed(_ name: String, _ error: any Error, doing what: String) {
    counts.failedCalls += 1
    guard var host = hosts[name] else { return }
    if host.failedMarks == 0 { side.say("cannot \(what): \(error); it is tried again") }
    host.failedMarks += 1
    host.nextMark = Self.now + Self.pause(after: host.failedMarks)
    hosts[name] = host
  }

  private static func pause(after failures: Int) -> Duration {
    min(longestPause, firstPause * (1 << min(failures, 10)))
  }

  // MARK: Pods

  private func say(
    goodbye pod: PodView, _ grace: Duration, isTold: Bool, on name: String, now: Duration
  ) {
    let known = hosts[name]?.goodbyes[pod.uid] ?? Goodbye()
    // That an eviction is to be tried again later delays no pod's being told.
    let isDue = now >= known.next || (isTold && !known.isTold)
    guard !known.isUnderWay, isDue, !(known.isTold && pod.isGoing) else { return }
    var goodbye = known
    (goodbye.isUnderWay, goodbye.isTold) = (true, isTold)
    hosts[name]?.goodbyes[pod.uid] = goodbye
    let seconds = max(1, Int(grace.components.seconds))
    Task {
      let outcome: (obstacle: String, pause: Duration)
      do {
        outcome =
          isTold
          ? try await delete(pod, seconds) : try await evict(pod, seconds)
      } catch {
        counts.failedCalls += 1
        outcome = ("\(error)", Self.firstPause)
      }
      hosts[name]?.goodbyes[pod.uid]?.isUnderWay = false
      hosts[name]?.goodbyes[pod.uid]?.obstacle = outcome.obstacle
      hosts[name]?.goodbyes[pod.uid]?.next = Self.now + outcome.pause
      reconsider(name)
    }
  }

  private func delete(_ pod: PodView, _ seconds: Int) async throws -> (String, Duration) {
    counts.deleted += 1
    _ = try await client.delete(
      Pod.self, pod.name, in: pod.namespace, grace: seconds, ifUID: pod.uid)
    return ("", Self.longestPause)
  }

  private func evict(_ pod: PodView, _ seconds: Int) async throws -> (String, Duration) {
    let outcome = try await client.evict(
      pod: pod.name, in: pod.namespace, grace: seconds, ifUID: pod.uid)
    switch outcome {
    case .accepted, .gone, .replaced, .namespaceEnds:
      counts.evicted += 1
      return ("", Self.longestPause)
    case .blocked(let words, let after):
      counts.refused += 1
      return (words, after.map { .seconds($0) } ?? Self.budgetPause)
    case .severalBudgets(let words):
      counts.refused += 1
      return (words, Self.longestPause)
    }
  }

  // MARK: What is told

  /// Tells of a host that came into another phase.
  func note(_ record: NodeRecord, before: Phase?, on name: String) {
    switch record.phase {
    case .lent where before == .opening: counts.lent += 1
    case .batch:
      counts.reclaimed += 1
      hosts[name]?.goodbyes = [:]
    case .fault where before != nil:
      counts.faults += 1
      side.say("\(name) is not clean: \(record.reason)")
    default: break
    }
    guard let word = record.phase.event(before: before), let nodeName = nodeOfHost[name],
      let node = nodes[nodeName]
    else { return }
    let event = Event(
      about: ObjectReference(node: node), reason: word,
      note: "\(record.phase.rawValue): \(record.reason)", action: record.phase.rawValue,
      isWarning: record.phase == .fault, reporter: settings.reporter, instance: name)
    let client = client
    Task { try? await client.record(event) }
  }
}

extension Phase {
  /// The word of the event for coming into a phase, if that is worth one.
  fileprivate func event(before: Phase?) -> String? {
    switch self {
    case .closing where before == .lent: "Reclaiming"
    case .batch: "Reclaimed"
    case .lent where before != nil: "Lent"
    case .fault where before != nil: "NotClean"
    default: nil
    }
  }
}
