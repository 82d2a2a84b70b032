// A namespace, and an account of programs in it.

import Encoding

public struct Namespace: KubernetesObject {
  public static let kinds = [
    ObjectKind(kind: "Namespace", plural: "namespaces", isNamespaced: false)
  ]

  public var metadata: Metadata

  public init(_ metadata: Metadata) { self.metadata = metadata }

  public init(from reader: inout JSONReader) throws(ReadingError) {
    metadata = try BareObject(from: &reader).metadata
  }
}

public struct ServiceAccount: KubernetesObject {
  public static let kinds = [
    ObjectKind(kind: "ServiceAccount", plural: "serviceaccounts", isNamespaced: true)
  ]

  public var metadata: Metadata

  public init(_ metadata: Metadata) { self.metadata = metadata }

  public init(from reader: inout JSONReader) throws(ReadingError) {
    metadata = try BareObject(from: &reader).metadata
  }
}
