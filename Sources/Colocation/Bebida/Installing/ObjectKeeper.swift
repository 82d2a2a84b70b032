// Makes objects what they should be, and takes them away: only those that are ours, and telling of each.

import Encoding
import KubernetesClient

/// Why nothing, or nothing more, was installed or removed: what, and what to do.
struct InstallError: Error, CustomStringConvertible {
  let description: String
}

/// Keeps objects. With a client whose settings say `isTrial` it tells what it would do, and the server checks it.
struct ObjectKeeper {
  /// Somebody else may change an object between our look and our word: then we look again, so often.
  static let tries = 5
  /// Seconds for which something that is being deleted is waited for.
  static let patience = 60.0

  let client: KubernetesClient
  let log: InstallLog

  private var isTrial: Bool { client.settings.isTrial }

  /// Why an object that is there must not be touched; nil if it may be.
  func refusal<Object: KeptObject>(_ wanted: Object) async throws -> String? {
    guard let there = try await find(wanted), !Ownership.isOurs(there) else { return nil }
    let problem =
      "\(wanted.title) is there and is not ours: it has no label \(Ownership.label)=\(Ownership.value). "
    // What is ours is deleted one day: with a namespace goes all that is in it.
    guard !(there is Namespace) else {
      return problem + "Name another with --namespace"
    }
    let place = wanted.metadata.namespace.isEmpty ? "" : "-n \(wanted.metadata.namespace) "
    let words = "\(Object.kinds[0].kind.lowercased()) \(wanted.metadata.name)"
    return problem + "Remove it, or hand it over: kubectl \(place)label \(words) --overwrite "
      + "\(Ownership.label)=\(Ownership.value)"
  }

  /// Makes an object, or brings it to what it should be.
  func keep<Object: KeptObject>(_ wanted: Object) async throws {
    for _ in 0..<Self.tries {
      do {
        return try await keepOnce(wanted)
      } catch let error as KubernetesError where error.isConflict || error.exists {
        continue
      }
    }
    throw InstallError(
      description: "\(wanted.title) is changed by somebody else all the time; try again later")
  }

  private func keepOnce<Object: KeptObject>(_ wanted: Object) async throws {
    guard let there = try await find(wanted) else { return try await make(wanted) }
    guard there.metadata.deletion == nil else {
      try await wait(until: wanted.title) {
        try await find(wanted)?.metadata.uid != there.metadata.uid
      }
      return try await keepOnce(wanted)
    }
    guard Ownership.isOurs(there) else {
      throw InstallError(description: try await refusal(wanted) ?? "\(wanted.title) is not ours")
    }
    let lacks = wanted.metadata.annotations.contains { there.metadata.annotations[$0] != $1 }
    switch wanted.fit(there) {
    case .same where !lacks: log.note(.unchanged, wanted.title)
    case .same, .other:
      _ = try await client.patch(
        Object.self, wanted.metadata.name, in: wanted.metadata.namespace, .merge(wanted.body),
        ifVersion: there.metadata.version)
      log.note(.changed, wanted.title, wanted.body)
    case .unchangeable:
      try await delete(there)
      try await make(wanted)
    }
  }

  private func make<Object: KeptObject>(_ wanted: Object) async throws {
    do {
      try await client.create(Object.self, wanted.body, in: wanted.metadata.namespace)
    } catch let error as KubernetesError where isTrial && (error.isNotFound || error.exists) {
      // In a namespace that would be made before it, or in the place of one that would be deleted.
    }
    log.note(.made, wanted.title, wanted.body)
  }

  /// Takes an object away if it is ours.
  ///
  /// - Returns: whether it goes.
  func remove<Object: KeptObject>(_ known: Object) async throws -> Bool {
    guard let there = try await find(known) else { return false }
    guard Ownership.isOurs(there) else {
      log.note(.stays, "\(known.title): it has no label \(Ownership.label)=\(Ownership.value)")
      return false
    }
    try await delete(there)
    return true
  }

  private func delete<Object: KeptObject>(_ there: Object) async throws {
    _ = try await client.delete(
      Object.self, there.metadata.name, in: there.metadata.namespace, ifUID: there.metadata.uid)
    log.note(.removed, there.title)
    guard !isTrial else { return }
    try await wait(until: there.title) { try await find(there)?.metadata.uid != there.metadata.uid }
  }

  func find<Object: KeptObject>(_ wanted: Object) async throws -> Object? {
    try await client.find(Object.self, wanted.metadata.name, in: wanted.metadata.namespace)
  }

  /// Waits until something that is being deleted is gone.
  private func wait(until title: String, _ isGone: () async throws -> Bool) async throws {
    guard try await Waiting.wait(Self.patience, until: isGone) else {
      throw InstallError(
        description: "\(title) is being deleted, and still there after \(Int(Self.patience)) s: "
          + "see what holds it (its finalizers, kube-controller-manager), then run this again")
    }
  }
}

/// Waiting for what Kubernetes does by itself.
enum Waiting {
  private static let pause = Duration.milliseconds(100)

  /// - Returns: whether it came true in time.
  static func wait(
    _ seconds: Double, until isTrue: () async throws -> Bool
  ) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while try await !isTrue() {
      guard ContinuousClock.now < end else { return false }
      try await Task.sleep(for: pause)
    }
    return true
  }
}
