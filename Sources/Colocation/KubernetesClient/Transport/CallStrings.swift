// A call in the form that C takes, while it is started.

import CCurl
import Glibc

struct CallStrings {
  private let transfer: Transfer

  init(_ transfer: Transfer) { self.transfer = transfer }

  /// Hands the call over; its strings and bytes last as long as `body`.
  func withCall<Result>(_ body: (inout ccurl_call) -> Result) -> Result {
    let call = transfer.call
    var made: [UnsafeMutablePointer<CChar>?] = []
    func copy(_ text: String?) -> UnsafePointer<CChar>? {
      guard let text else { return nil }
      made.append(strdup(text))
      return made.last.flatMap { UnsafePointer($0) }
    }
    defer { made.forEach(Self.wipe) }
    let headers = (call.headers + call.secretHeaders.map(\.text)).map { copy($0) } + [nil]
    return headers.withUnsafeBufferPointer { headers in
      Self.bytes(call.body) { content in
        Self.bytes(call.trust.authority) { authority in
          Self.bytes(call.trust.certificate) { certificate in
            Self.bytes(call.trust.key?.bytes) { key in
              var value = ccurl_call()
              value.method = copy(call.method)
              value.url = copy(call.url)
              value.proxy = copy(call.proxy?.text)
              value.reroute = copy(call.reroute)
              value.headers = headers.baseAddress
              (value.body, value.authority) = (content, authority)
              (value.certificate, value.key) = (certificate, key)
              fill(&value)
              return body(&value)
            }
          }
        }
      }
    }
  }

  private func fill(_ value: inout ccurl_call) {
    let call = transfer.call
    value.unchecked = call.trust.isUnchecked ? 1 : 0
    value.compressed = call.isCompressed ? 1 : 0
    value.connect_timeout = Int(call.connectTimeout * 1000)
    value.timeout = Int((call.timeout ?? 0) * 1000)
    value.dead_after = Int(call.deadAfter * 1000)
    value.context = Unmanaged.passUnretained(transfer).toOpaque()
    // The pool holds the transfer as long as libcurl may call.
    value.sink = { context, status, bytes, count in
      guard let context else { return 1 }
      let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      transfer.lastByte = ConnectionPool.now
      let piece = UnsafeRawBufferPointer(start: bytes, count: count)
      return transfer.sink.take(status: status, piece) ? 0 : 1
    }
  }

  private static func bytes<Result>(
    _ content: [UInt8]?, _ body: (ccurl_bytes) -> Result
  ) -> Result {
    guard let content else { return body(ccurl_bytes(bytes: nil, size: 0)) }
    // An empty body is a body: it needs a place.
    guard !content.isEmpty else {
      return [UInt8(0)].withUnsafeBytes {
        body(ccurl_bytes(bytes: $0.baseAddress, size: 0))
      }
    }
    return content.withUnsafeBytes {
      body(ccurl_bytes(bytes: $0.baseAddress, size: $0.count))
    }
  }

  /// Headers may hold tokens: they do not stay in memory that others get next.
  private static func wipe(_ text: UnsafeMutablePointer<CChar>?) {
    guard let text else { return }
    explicit_bzero(text, strlen(text))
    free(text)
  }
}
