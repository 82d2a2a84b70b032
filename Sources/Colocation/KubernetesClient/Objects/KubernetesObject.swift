// What all objects of the API have in common: where they live and their metadata.

import Encoding

/// A kind of objects and where it lives.
public struct ObjectKind: Sendable, Hashable {
  /// Empty for the core group.
  public var group: String
  public var version: String
  /// Such as `Node`.
  public var kind: String
  /// As in paths, such as `nodes`.
  public var plural: String
  public var isNamespaced: Bool

  public init(
    group: String = "", version: String = "v1", kind: String, plural: String, isNamespaced: Bool
  ) {
    (self.group, self.version, self.kind) = (group, version, kind)
    (self.plural, self.isNamespaced) = (plural, isNamespaced)
  }

  /// Such as `v1` or `coordination.k8s.io/v1`.
  public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
}

/// An object with those of its fields that are of use here.
public protocol KubernetesObject: Sendable, Equatable {
  /// The kinds it may be, the best first: the first that the server has is used.
  static var kinds: [ObjectKind] { get }
  var metadata: Metadata { get }
  /// - Throws: ``ReadingError`` if a field that is used has a value of another type.
  init(from reader: inout JSONReader) throws(ReadingError)
}

/// Who brought an object about.
public struct Owner: Sendable, Hashable {
  public var apiVersion = ""
  /// Such as `DaemonSet`.
  public var kind = ""
  public var name = ""
  public var uid = ""
  public var isController = false

  init(from reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "apiVersion": apiVersion = try reader.text()
      case "kind": kind = try reader.text()
      case "name": self.name = try reader.text()
      case "uid": uid = try reader.text()
      case "controller": isController = try reader.flag()
      default: return false
      }
      return true
    }
  }
}

public struct Metadata: Sendable, Hashable {
  public var name = ""
  /// Empty for objects without one.
  public var namespace = ""
  /// Another object of the same name has another.
  public var uid = ""
  /// Changes with the object; only equality means anything.
  public var version = ""
  public var labels: [String: String] = [:]
  public var annotations: [String: String] = [:]
  public var finalizers: [String] = []
  public var owners: [Owner] = []
  public var created: Timestamp?
  /// Set when the object is being deleted.
  public var deletion: Timestamp?
  /// Seconds that were left when the deletion began.
  public var deletionGrace: Int?

  public init(name: String = "", namespace: String = "") {
    (self.name, self.namespace) = (name, namespace)
  }

  /// The owner that manages it, if there is one.
  public var controller: Owner? { owners.first(where: \.isController) }

  init(from reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "name": self.name = try reader.text()
      case "namespace": namespace = try reader.text()
      case "uid": uid = try reader.text()
      case "resourceVersion": version = try reader.text()
      case "labels": labels = try reader.texts()
      case "annotations": annotations = try reader.texts()
      case "finalizers":
        finalizers = try reader.items { reader throws(ReadingError) in try reader.text() }
      case "ownerReferences":
        owners = try reader.items { reader throws(ReadingError) in try Owner(from: &reader) }
      case "creationTimestamp": created = try reader.time()
      case "deletionTimestamp": deletion = try reader.time()
      case "deletionGracePeriodSeconds": deletionGrace = try reader.integer()
      default: return false
      }
      return true
    }
  }
}

/// An object of which only the metadata is looked at.
struct BareObject {
  var metadata = Metadata()

  init(from reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      guard name == "metadata" else { return false }
      metadata = try Metadata(from: &reader)
      return true
    }
  }
}
