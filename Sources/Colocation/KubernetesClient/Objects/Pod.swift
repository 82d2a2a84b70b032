// A pod: where it runs, how it is, and what has to be known before it is told to go.

import Encoding

/// What lets a pod stay on nodes with certain taints.
public struct Toleration: Sendable, Hashable {
  /// Empty with `Exists`: all keys.
  public var key = ""
  /// `Equal` or `Exists`.
  public var comparison = "Equal"
  public var value = ""
  /// Empty: all effects.
  public var effect = ""
  /// How long; nil for ever.
  public var seconds: Int?

  public init() {}

  init(from reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "key": key = try reader.text()
      case "operator": comparison = try reader.text()
      case "value": value = try reader.text()
      case "effect": effect = try reader.text()
      case "tolerationSeconds": seconds = try reader.integer()
      default: return false
      }
      return true
    }
  }

  public func tolerates(_ taint: Taint) -> Bool {
    guard effect.isEmpty || effect == taint.effect else { return false }
    if comparison == "Exists" { return key.isEmpty || key == taint.key }
    return key == taint.key && value == taint.value
  }
}

public struct ContainerStatus: Sendable, Hashable {
  public enum State: String, Sendable {
    case waiting, running, terminated
  }

  public var name = ""
  /// A container of which nothing is said waits.
  public var state = State.waiting
  public var isReady = false
  /// Why it waits or has ended, such as `CrashLoopBackOff`.
  public var reason = ""
  /// Of one that has ended.
  public var exitCode: Int?

  init(from reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "name": self.name = try reader.text()
      case "ready": isReady = try reader.flag()
      case "state": try readState(&reader)
      default: return false
      }
      return true
    }
  }

  private mutating func readState(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      guard let state = State(rawValue: name) else { return false }
      self.state = state
      try reader.fields { reader, name throws(ReadingError) in
        switch name {
        case "reason": reason = try reader.text()
        case "exitCode": exitCode = try reader.integer()
        default: return false
        }
        return true
      }
      return true
    }
  }
}

public struct Pod: KubernetesObject {
  public static let kinds = [ObjectKind(kind: "Pod", plural: "pods", isNamespaced: true)]

  public var metadata = Metadata()
  /// Empty until it has one.
  public var nodeName = ""
  /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
  public var phase = ""
  /// Why it is in that phase, such as `Evicted`.
  public var reason = ""
  public var tolerations: [Toleration] = []
  public var priority: Int?
  public var priorityClass = ""
  /// Seconds that it is given to end.
  public var grace: Int?
  /// Containers of all sorts, those that prepare the others first.
  public var containers: [ContainerStatus] = []
  /// Whether it has a volume whose content goes with it.
  public var hasEmptyDirectory = false

  public var name: String { metadata.name }
  public var isOver: Bool { phase == "Succeeded" || phase == "Failed" }
  public var isTerminating: Bool { metadata.deletion != nil }
  /// Of a DaemonSet, which would start it again on the same node.
  public var isOfDaemonSet: Bool { metadata.controller?.kind == "DaemonSet" }
  /// The image of a pod that the node's kubelet starts by itself: it can't be deleted.
  public var isMirror: Bool { metadata.annotations["kubernetes.io/config.mirror"] != nil }
  public var isAnyContainerRunning: Bool { containers.contains { $0.state == .running } }

  public init(from reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "metadata": metadata = try Metadata(from: &reader)
      case "spec": try readSpec(&reader)
      case "status": try readStatus(&reader)
      default: return false
      }
      return true
    }
  }

  private mutating func readSpec(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "nodeName": nodeName = try reader.text()
      case "priority": priority = try reader.integer()
      case "priorityClassName": priorityClass = try reader.text()
      case "terminationGracePeriodSeconds": grace = try reader.integer()
      case "tolerations":
        tolerations = try reader.items { reader throws(ReadingError) in
          try Toleration(from: &reader)
        }
      case "volumes":
        try reader.list { reader, _ throws(ReadingError) in
          try reader.fields { _, name throws(ReadingError) in
            if name == "emptyDir" { hasEmptyDirectory = true }
            return false
          }
        }
      default: return false
      }
      return true
    }
  }

  private mutating func readStatus(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "phase": phase = try reader.text()
      case "reason": reason = try reader.text()
      case "initContainerStatuses":
        containers.insert(contentsOf: try Self.statuses(&reader), at: 0)
      case "containerStatuses", "ephemeralContainerStatuses":
        containers += try Self.statuses(&reader)
      default: return false
      }
      return true
    }
  }

  private static func statuses(
    _ reader: inout JSONReader
  ) throws(ReadingError) -> [ContainerStatus] {
    try reader.items { reader throws(ReadingError) in try ContainerStatus(from: &reader) }
  }
}
