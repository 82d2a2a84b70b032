// A lease: who holds something, until when, as its holder says it from time to time.

import Encoding

public struct Lease: KubernetesObject {
  public static let kinds = [
    ObjectKind(group: "coordination.k8s.io", kind: "Lease", plural: "leases", isNamespaced: true)
  ]

  public var metadata = Metadata()
  /// Empty: nobody.
  public var holder = ""
  /// Seconds after the last renewal that others have to wait.
  public var duration: Int?
  public var acquired: Timestamp?
  public var renewed: Timestamp?
  /// How often it went from one holder to another.
  public var transitions = 0

  public init(name: String, namespace: String, holder: String, duration: Int) {
    metadata = Metadata(name: name, namespace: namespace)
    (self.holder, self.duration) = (holder, duration)
  }

  /// Whether others may take it.
  public func isFree(at time: Timestamp) -> Bool {
    guard !holder.isEmpty, let renewed, let duration else { return true }
    return time.seconds(since: renewed) > Double(duration)
  }

  public init(from reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "metadata": metadata = try Metadata(from: &reader)
      case "spec": try readSpec(&reader)
      default: return false
      }
      return true
    }
  }

  private mutating func readSpec(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "holderIdentity": holder = try reader.text()
      case "leaseDurationSeconds": duration = try reader.integer()
      case "acquireTime": acquired = try reader.time()
      case "renewTime": renewed = try reader.time()
      case "leaseTransitions": transitions = try reader.integer()
      default: return false
      }
      return true
    }
  }

  var spec: JSONValue {
    .fields([
      "holderIdentity": .string(holder),
      "leaseDurationSeconds": duration.map { .number(String($0)) },
      "acquireTime": acquired.map { .string($0.precise) },
      "renewTime": renewed.map { .string($0.precise) },
      "leaseTransitions": .number(String(transitions)),
    ])
  }
}
