// As whom the client comes, kept fresh: files that changed are read again, programs that give credentials
// are run again when these expire or the server does not take them.

import Encoding

/// What one request carries.
struct Identity: Sendable, Equatable {
  var trust: Trust
  var token: Secret?
  /// Counts what was given out: who was refused with an old one need not ask for a new one.
  var edition: Int
}

actor Credentials {
  private let access: ClusterAccess
  private var authority: WatchedFile?
  private var certificate: WatchedFile?
  private var key: WatchedFile?
  private var token: WatchedFile?
  private var granted: ProgramCredential?
  private var asking: Task<ProgramCredential, any Error>?
  private var last: Identity?

  /// How long before its end a credential is no longer used, in seconds.
  private static let margin = 10.0

  init(_ access: ClusterAccess) {
    self.access = access
    func watched(_ material: Material?, _ purpose: String) -> WatchedFile? {
      guard case .file(let path)? = material else { return nil }
      return WatchedFile(path, purpose: purpose)
    }
    func watched(_ material: SecretMaterial?, _ purpose: String) -> WatchedFile? {
      guard case .file(let path)? = material else { return nil }
      return WatchedFile(path, purpose: purpose)
    }
    authority = watched(access.authority, "the certificate-authority of \(access.source)")
    certificate = watched(access.certificate, "the client-certificate of \(access.source)")
    key = watched(access.key, "the client-key of \(access.source)")
    token = watched(access.token, "the tokenFile of \(access.source)")
  }

  /// What a request is to carry now.
  ///
  /// - Throws: ``KubernetesError/configuration(_:)``.
  func current() async throws -> Identity {
    var identity = Identity(trust: Trust(isUnchecked: access.isUnchecked), edition: 0)
    identity.trust.authority = try authority?.content() ?? access.authority.inlined
    identity.trust.certificate = try certificate?.content() ?? access.certificate.inlined
    identity.trust.key = try key?.content().asSecret ?? access.key.inlined
    identity.token = try token?.content().asToken ?? access.token.inlined
    if let program = access.program, identity.token == nil, identity.trust.certificate == nil {
      let granted = try await credential(of: program)
      identity.token = granted.token
      identity.trust.certificate = granted.certificate
      identity.trust.key = granted.key
    }
    identity.edition = last?.edition ?? 1
    if let last, last != identity { identity.edition = last.edition + 1 }
    last = identity
    return identity
  }

  /// Hears that the server did not take an identity (401).
  ///
  /// - Returns: whether there may be another now.
  func refused(_ identity: Identity) async -> Bool {
    if let last, last.edition > identity.edition { return true }
    token?.forget()
    certificate?.forget()
    key?.forget()
    granted = nil
    if access.program != nil { return true }
    guard let fresh = try? await current() else { return false }
    return fresh.edition > identity.edition
  }

  /// Runs the program unless what it gave still holds; all who wait get the same answer.
  private func credential(of program: CredentialProgram) async throws -> ProgramCredential {
    let now = Timestamp.now
    if let granted, granted.expiry.map({ $0.seconds(since: now) > Self.margin }) ?? true {
      return granted
    }
    let task =
      asking
      ?? Task { [access] in
        try await ProgramCredential.ask(program, access)
      }
    asking = task
    defer { if asking == task { asking = nil } }
    let fresh = try await task.value
    granted = fresh
    return fresh
  }
}

extension [UInt8] {
  fileprivate var asSecret: Secret { Secret(self) }

  /// A token without the newline after it.
  fileprivate var asToken: Secret {
    let isBlank: (UInt8) -> Bool = { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    let text = drop(while: isBlank)
    return Secret(Array(text.prefix { !isBlank($0) }))
  }
}

extension Material? {
  fileprivate var inlined: [UInt8]? {
    if case .bytes(let bytes)? = self { bytes } else { nil }
  }
}

extension SecretMaterial? {
  fileprivate var inlined: Secret? {
    if case .secret(let secret)? = self { secret } else { nil }
  }
}
