// MUNGE credentials: who is asking, when the question comes from another host.

import CMunge
import Glibc

/// Seals and opens texts with the MUNGE key that the hosts of a cluster share.
public enum Munge {
  /// Why a credential could not be made or is not believed.
  public struct Failure: Error, CustomStringConvertible, Sendable {
    public let description: String
  }

  /// A credential that says "the process with my uid holds this text".
  public static func seal(_ text: String) throws(Failure) -> String {
    var credential: UnsafeMutablePointer<CChar>?
    let code = text.withCString { munge_encode(&credential, nil, $0, Int32(strlen($0))) }
    defer { free(credential) }
    guard code == EMUNGE_SUCCESS, let credential else { throw failure(code, "make") }
    return String(cString: credential)
  }

  /// The text and the uid of the one who sealed it. A credential is believed once, and for some minutes.
  public static func open(_ credential: String) throws(Failure) -> (text: String, uid: UInt32) {
    var payload: UnsafeMutableRawPointer?
    var length: Int32 = 0
    var uid = uid_t()
    var gid = gid_t()
    let code = munge_decode(credential, nil, &payload, &length, &uid, &gid)
    defer { free(payload) }
    guard code == EMUNGE_SUCCESS else { throw failure(code, "open") }
    let bytes = UnsafeRawBufferPointer(start: payload, count: Int(max(0, length)))
    return (String(decoding: bytes, as: UTF8.self), uid)
  }

  private static func failure(_ code: munge_err_t, _ verb: String) -> Failure {
    let text = munge_strerror(code).map { String(cString: $0) } ?? "error \(code.rawValue)"
    return Failure(
      description:
        "cannot \(verb) a MUNGE credential: \(text) (does munged run, with the same key?)")
  }
}
