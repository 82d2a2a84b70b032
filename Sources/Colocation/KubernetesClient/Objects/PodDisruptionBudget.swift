// How many pods of a kind may be missing: what stands in the way of an eviction.

import Encoding

public struct PodDisruptionBudget: KubernetesObject {
  // v1 from 1.21, the only one from 1.25.
  public static let kinds = ["v1", "v1beta1"].map {
    ObjectKind(
      group: "policy", version: $0, kind: "PodDisruptionBudget", plural: "poddisruptionbudgets",
      isNamespaced: true)
  }

  public var metadata = Metadata()
  /// nil: none was said, which selects nothing in v1beta1.
  public var selector: LabelSelector?
  /// A number or a percentage, as written.
  public var minAvailable: String?
  public var maxUnavailable: String?
  /// How many pods may go now.
  public var allowed = 0
  public var healthy = 0
  public var desired = 0
  public var expected = 0

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
      case "selector": selector = try LabelSelector(from: &reader)
      case "minAvailable": minAvailable = try reader.quantity()
      case "maxUnavailable": maxUnavailable = try reader.quantity()
      default: return false
      }
      return true
    }
  }

  private mutating func readStatus(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "disruptionsAllowed": allowed = try reader.integer()
      case "currentHealthy": healthy = try reader.integer()
      case "desiredHealthy": desired = try reader.integer()
      case "expectedPods": expected = try reader.integer()
      default: return false
      }
      return true
    }
  }
}
