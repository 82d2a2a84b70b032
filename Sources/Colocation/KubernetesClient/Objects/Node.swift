// A node as Kubernetes knows it: what may run there, and how it is.

import Encoding

/// What keeps pods away that do not tolerate it.
public struct Taint: Sendable, Hashable {
  public var key: String
  public var value: String
  /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
  public var effect: String

  public init(key: String, value: String = "", effect: String) {
    (self.key, self.value, self.effect) = (key, value, effect)
  }

  init(from reader: inout JSONReader) throws(ReadingError) {
    self.init(key: "", effect: "")
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "key": key = try reader.text()
      case "value": value = try reader.text()
      case "effect": effect = try reader.text()
      default: return false
      }
      return true
    }
  }
}

/// One thing that is so or not, or not known.
public struct Condition: Sendable, Hashable {
  /// Such as `Ready`.
  public var type = ""
  /// `True`, `False` or `Unknown`.
  public var status = ""
  public var reason = ""
  public var message = ""
  public var since: Timestamp?

  init(from reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "type": type = try reader.text()
      case "status": status = try reader.text()
      case "reason": reason = try reader.text()
      case "message": message = try reader.text()
      case "lastTransitionTime": since = try reader.time()
      default: return false
      }
      return true
    }
  }
}

public struct Node: KubernetesObject {
  public static let kinds = [ObjectKind(kind: "Node", plural: "nodes", isNamespaced: false)]

  public var metadata = Metadata()
  /// Cordoned: new pods go elsewhere.
  public var isUnschedulable = false
  public var taints: [Taint] = []
  public var conditions: [Condition] = []
  /// What pods may use, by resource, as written: `cpu` `3900m`, `memory` `15Gi`.
  public var allocatable: [String: String] = [:]

  public var name: String { metadata.name }
  public var isReady: Bool { conditions.contains { $0.type == "Ready" && $0.status == "True" } }

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
      case "unschedulable": isUnschedulable = try reader.flag()
      case "taints":
        taints = try reader.items { reader throws(ReadingError) in try Taint(from: &reader) }
      default: return false
      }
      return true
    }
  }

  private mutating func readStatus(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "conditions":
        conditions = try reader.items { reader throws(ReadingError) in
          try Condition(from: &reader)
        }
      case "allocatable":
        try reader.fields { reader, resource throws(ReadingError) in
          allocatable[resource] = try reader.quantity()
          return true
        }
      default: return false
      }
      return true
    }
  }
}
