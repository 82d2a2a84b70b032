// The client: requests with credentials, time-outs and repetitions. What can be asked is in the files
// beside this one. A copy shares the connections; settings may differ.

import Encoding

public struct KubernetesClient: Sendable {
  public var settings: ClientSettings
  public let access: ClusterAccess
  let transport: Transport
  let credentials: Credentials
  let discovery: Discovery

  /// - Throws: ``KubernetesError/configuration(_:)`` if libcurl is missing.
  public init(_ access: ClusterAccess, settings: ClientSettings = ClientSettings()) throws {
    (self.access, self.settings) = (access, settings)
    transport = try Transport(connections: settings.connections)
    credentials = Credentials(access)
    discovery = Discovery()
  }

  /// Makes a request, again where that does no harm, and gives the answer of the kind 2xx.
  ///
  /// - Throws: ``KubernetesError``, or `CancellationError`.
  func send(_ request: Request) async throws -> HTTPAnswer {
    var attempt = 0
    var isRenewed = false
    while true {
      let identity = try await credentials.current()
      let outcome = await attemptOnce(request, identity)
      attempt += 1
      switch outcome {
      case .success(let answer):
        if (200..<300).contains(answer.status) { return answer }
        // Not done, whatever it was: a fresh credential may do.
        if answer.status == 401, !isRenewed, await credentials.refused(identity) {
          isRenewed = true
          continue
        }
        let status = APIStatus(answer)
        guard attempt < settings.attempts, let wait = pause(after: status, request, attempt) else {
          throw KubernetesError.refused(request.description, status)
        }
        try await Self.sleep(wait)
      case .failure(let failure):
        guard failure != .cancelled else { throw CancellationError() }
        guard attempt < settings.attempts, request.mayRepeat(after: failure) else {
          throw error(failure, request)
        }
        try await Self.sleep(settings.pause(before: attempt - 1))
      }
    }
  }

  private func attemptOnce(
    _ request: Request, _ identity: Identity
  ) async -> Result<HTTPAnswer, TransportFailure> {
    do {
      return .success(try await transport.answer(call(request, identity)))
    } catch let failure as TransportFailure {
      return .failure(failure)
    } catch {
      return .failure(.cancelled)
    }
  }

  /// Seconds to wait before the request is made again; nil if it must not be.
  private func pause(after status: APIStatus, _ request: Request, _ attempt: Int) -> Double? {
    guard request.mayRepeat(after: status) else { return nil }
    let pause = settings.pause(before: attempt - 1)
    guard let asked = status.retryAfter else { return pause }
    // All who were sent away come back, but not all at once.
    return asked <= settings.longestRetryAfter ? Double(asked) + pause : nil
  }

  /// The failure of a transport in the words of the client.
  func error(_ failure: TransportFailure, _ request: Request) -> any Error {
    let call = request.description
    switch failure {
    case .notConnected(let reason):
      return KubernetesError.unreachable(server: access.server, reason)
    case .notTrusted(let reason):
      return KubernetesError.untrusted(server: access.server, reason)
    case .timedOut(let reason): return KubernetesError.timedOut("\(call) (\(reason))")
    case .lost(let reason): return KubernetesError.lost("\(call) (\(reason))")
    case .tooLong(let limit): return KubernetesError.tooLong(call, limit: limit)
    case .other(let reason): return KubernetesError.lost("\(call) (\(reason))")
    case .cancelled: return CancellationError()
    }
  }

  static func sleep(_ seconds: Double) async throws {
    try await Task.sleep(for: .seconds(seconds))
  }

  // MARK: - Calls of HTTP

  /// The request as HTTP has it.
  func call(_ request: Request, _ identity: Identity) -> HTTPCall {
    let (base, host, reroute) = address
    var call = HTTPCall(
      method: request.method, url: base + request.target, connectTimeout: settings.connectTimeout,
      timeout: settings.requestTimeout, deadAfter: settings.deadAfter,
      answerLimit: settings.answerLimit)
    call.headers = ["Accept: application/json", "User-Agent: \(settings.userAgent)"]
    if let host { call.headers.append("Host: \(host)") }
    if let body = request.body {
      call.body = body
      call.headers.append("Content-Type: \(request.contentType)")
    }
    call.headers += impersonation
    if let token = identity.token {
      call.secretHeaders = [Secret("Authorization: Bearer \(token.text)")]
    }
    call.trust = identity.trust
    (call.proxy, call.reroute, call.isCompressed) = (access.proxy, reroute, access.isCompressed)
    return call
  }

  /// The server's address; and if its certificate has another name, the address with that name, the host
  /// to name in requests, and the way from one to the other.
  private var address: (base: String, host: String?, reroute: String?) {
    guard let name = access.serverName, let parts = URLParts(access.server),
      parts.scheme == "https", name != parts.host
    else { return (access.server, nil, nil) }
    let place = name.contains(":") ? "[\(name)]" : name
    return (
      "https://\(place):\(parts.port)\(parts.path)", "\(parts.host):\(parts.port)",
      "\(place):\(parts.port):\(parts.host):\(parts.port)"
    )
  }

  private var impersonation: [String] {
    let who = access.impersonation
    var lines = who.user.map { ["Impersonate-User: \($0)"] } ?? []
    if let uid = who.uid { lines.append("Impersonate-Uid: \(uid)") }
    lines += who.groups.map { "Impersonate-Group: \($0)" }
    for (key, values) in who.extra {
      lines += values.map { "Impersonate-Extra-\(Request.escaped(key)): \($0)" }
    }
    return lines.map { $0.filter { !$0.isNewline } }
  }
}
