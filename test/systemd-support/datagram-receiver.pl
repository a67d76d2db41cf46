# The socket of a service manager in small: prints what it receives, a line for each datagram with
# " | " for line ends. Reads from the start, or, when a second argument is given, from SIGUSR2 on.
use strict;
use warnings;
use Socket;

my ($path, $isLate) = @ARGV;
my $isReading = !$isLate;
$SIG{USR2} = sub { $isReading = 1 };
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die $!;
bind($socket, pack_sockaddr_un($path =~ s/^@/\0/r)) or die $!;
$| = 1;
print "bound\n";
sleep 1 until $isReading;
while (defined recv $socket, my $message, 65536, 0) {
  print $message =~ s/\n/ | /gr, "\n";
}
