// A secret in which Kubernetes' token controller keeps a lasting token of a service account, as it does in every
// release from 1.20 to today for secrets of this type.

import Encoding

public struct AccountToken: KubernetesObject {
  public static let kinds = [
    ObjectKind(kind: "Secret", plural: "secrets", isNamespaced: true)
  ]
  /// The type of secrets that the token controller fills.
  public static let type = "kubernetes.io/service-account-token"
  /// The annotation that names the account.
  public static let accountKey = "kubernetes.io/service-account.name"

  public var metadata: Metadata
  /// Of which type the secret is; others are no tokens.
  public var type = AccountToken.type
  /// nil until the controller has made it.
  public var token: Secret?
  /// The certificates (PEM) of those who may sign for the server, as the controller knows them.
  public var authority: [UInt8]?

  public init(_ metadata: Metadata, account: String) {
    self.metadata = metadata
    self.metadata.annotations[Self.accountKey] = account
  }

  public init(from reader: inout JSONReader) throws(ReadingError) {
    metadata = Metadata()
    type = ""
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "metadata": metadata = try Metadata(from: &reader)
      case "type": type = try reader.text()
      case "data": try readData(&reader)
      default: return false
      }
      return true
    }
  }

  private mutating func readData(_ reader: inout JSONReader) throws(ReadingError) {
    try reader.fields { reader, name throws(ReadingError) in
      switch name {
      case "token": token = Secret(try Self.bytes(&reader))
      case "ca.crt": authority = try Self.bytes(&reader)
      default: return false
      }
      return true
    }
  }

  private static func bytes(_ reader: inout JSONReader) throws(ReadingError) -> [UInt8] {
    let start = reader.offset
    guard let bytes = Base64.decode(try reader.text()) else {
      throw ReadingError(.value, "it must be base64", at: start)
    }
    return bytes
  }
}
