// Our marks on a node in Kubernetes: read from it, and as the steps that change them and nothing else. What an
// administrator or another controller put there stays, and goes, as they want.

import Encoding
import KubernetesClient

/// The words that nodes bear.
public enum NodeWords {
  /// The key of our taints; its value is the epoch.
  public static let taint = "bebida.liburna.io/batch"
  /// An annotation: the epoch of our marks. It stays when they go, so that whoever comes late is refused.
  public static let epoch = "bebida.liburna.io/epoch"
  /// An annotation: `true` if it was us who cordoned the node.
  public static let cordoned = "bebida.liburna.io/cordoned"
  /// An annotation: why the node is as it is, in words for people.
  public static let reason = "bebida.liburna.io/reason"
  /// A label: until when no job is planned on the node, in seconds of the epoch; absent while it is not lent.
  /// Pods that know how long they run choose by it (`Gt` in their affinity).
  public static let freeUntil = "bebida.liburna.io/free-until"
  /// What all of these begin with.
  static let prefix = "bebida.liburna.io/"
  /// Its value where no job is planned.
  static let forever: Int64 = 9_999_999_999
  /// A label is changed for no less than so many seconds, later or earlier: plans move with every pass.
  private static let sharpness: Int64 = 5

  /// The label that a node shall have, if that is another than it has.
  ///
  /// - Parameter length: how long it stays free from now on; nil while no job is planned.
  static func freeUntil(after length: Duration?, was old: String?) -> Int64? {
    let now = Timestamp.now.microseconds / 1_000_000
    let wanted = length.map { now + max(0, $0.components.seconds) } ?? forever
    guard let old = old.flatMap({ Int64($0) }) else { return wanted }
    return abs(wanted - old) > sharpness ? wanted : nil
  }

  /// Sets the label.
  static func labelPatch(_ label: Int64) -> JSONValue {
    let labels = JSONValue.object([JSONMember(freeUntil, .string(String(label)))])
    return .object([JSONMember("metadata", .object([JSONMember("labels", labels)]))])
  }
}

extension KubernetesView {
  /// What a node shows of our marks. Its pods are told apart from it.
  public init(of node: Node, pods: [PodView]) {
    let effects = Set(node.taints.filter { $0.key == NodeWords.taint }.map(\.effect))
    var marks: Marks?
    switch (effects, node.isUnschedulable) {
    case ([], _): marks = node.isCordonedByUs ? nil : Marks.none
    case (["NoSchedule"], true): marks = .closed
    case (["NoSchedule", "NoExecute"], true): marks = .fenced
    // Somebody uncordoned it or took a taint: it is marked again.
    default: marks = nil
    }
    self.init(
      isCurrent: true, marks: marks,
      epoch: node.metadata.annotations[NodeWords.epoch].flatMap { Int64($0) } ?? 0, pods: pods)
  }
}

extension Node {
  var isCordonedByUs: Bool { metadata.annotations[NodeWords.cordoned] == "true" }

  /// The steps to these marks; empty if they are there, nil if the node bears a higher epoch: then we are late.
  /// They hold for the state of the node that was read (`metadata.version`) and no other.
  public func steps(to marks: Marks, epoch: Int64, reason: String) -> [Patch.Step]? {
    let there = metadata.annotations[NodeWords.epoch].flatMap { Int64($0) } ?? 0
    guard there <= epoch else { return nil }
    var steps = taintSteps(to: marks, epoch: epoch)
    var texts: [(name: String, value: String?)] = []
    if marks > .none, !isUnschedulable {
      steps.append(.init("add", "/spec/unschedulable", .bool(true)))
      texts.append((NodeWords.cordoned, "true"))
    } else if marks == .none, isCordonedByUs {
      if isUnschedulable { steps.append(.init("add", "/spec/unschedulable", .bool(false))) }
      texts.append((NodeWords.cordoned, nil))
    }
    if marks > .none, metadata.labels[NodeWords.freeUntil] != nil {
      steps.append(.init("remove", "/metadata/labels/" + NodeWords.freeUntil.escapedForPointer))
    }
    if there < epoch { texts.append((NodeWords.epoch, "\(epoch)")) }
    // The reason alone is not worth a write.
    if !steps.isEmpty || !texts.isEmpty { texts.append((NodeWords.reason, reason)) }
    return steps + annotationSteps(texts)
  }

  /// The steps that take all of ours off, the epoch too, so that nobody sees that this node was ever lent; empty if
  /// it bears nothing of ours. A cordon that is not ours stays.
  var stepsToForget: [Patch.Step] {
    var steps = taintSteps(to: .none, epoch: 0)
    if isCordonedByUs, isUnschedulable {
      steps.append(.init("add", "/spec/unschedulable", .bool(false)))
    }
    for (place, names) in [
      ("labels", metadata.labels.keys), ("annotations", metadata.annotations.keys),
    ] {
      steps += names.filter { $0.hasPrefix(NodeWords.prefix) }.sorted().map {
        .init("remove", "/metadata/\(place)/" + $0.escapedForPointer)
      }
    }
    return steps
  }

  private func taintSteps(to marks: Marks, epoch: Int64) -> [Patch.Step] {
    let effects =
      marks == .none ? [] : marks == .closed ? ["NoSchedule"] : ["NoSchedule", "NoExecute"]
    let wanted = effects.map { Taint(key: NodeWords.taint, value: "\(epoch)", effect: $0) }
    // From the end, so that those before keep their places.
    let removed = taints.indices.reversed().filter {
      taints[$0].key == NodeWords.taint && !wanted.contains(taints[$0])
    }
    let added = wanted.filter { !taints.contains($0) }
    // Others' taints are not written again: they have fields that are not known here.
    var steps = removed.map { Patch.Step("remove", "/spec/taints/\($0)") }
    if taints.isEmpty, !added.isEmpty {
      steps.append(.init("add", "/spec/taints", .array(added.map(\.json))))
    } else {
      steps += added.map { Patch.Step("add", "/spec/taints/-", $0.json) }
    }
    return steps
  }

  private func annotationSteps(_ texts: [(name: String, value: String?)]) -> [Patch.Step] {
    guard !texts.isEmpty else { return [] }
    let place = "/metadata/annotations"
    guard !metadata.annotations.isEmpty else {
      let members = texts.compactMap { text in
        text.value.map { JSONMember(text.name, .string($0)) }
      }
      return [.init("add", place, .object(members))]
    }
    return texts.compactMap { name, value in
      let path = place + "/" + name.escapedForPointer
      if let value { return .init("add", path, .string(value)) }
      return metadata.annotations[name] == nil ? nil : .init("remove", path)
    }
  }
}

extension String {
  /// As RFC 6901 writes a `/` within a name.
  fileprivate var escapedForPointer: String { split(separator: "/").joined(separator: "~1") }
}

extension Taint {
  fileprivate var json: JSONValue {
    .object([
      JSONMember("key", .string(key)), JSONMember("value", .string(value)),
      JSONMember("effect", .string(effect)),
    ])
  }
}
