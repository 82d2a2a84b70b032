// The server's program.

import Controller

@main
enum Main {
  static func main() { Server.main() }
}
