# systemd's journal in small: gives a program a stream socket as standard output and error, and prints
# what comes. USR1 stops reading, USR2 goes on, INT closes the socket; HUP and TERM are passed on; exits as the program did.
use strict;
use warnings;
use Socket;

socketpair(my $own, my $given, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $!;
my $child = fork // die $!;
if ($child == 0) {
  my ($device, $inode) = stat $given;
  $ENV{JOURNAL_STREAM} = "$device:$inode";
  open STDOUT, '>&', $given or die $!;
  open STDERR, '>&', $given or die $!;
  exec @ARGV or die $!;
}
close $given;
my ($isStopped, $isClosed) = (0, 0);
$SIG{USR1} = sub { $isStopped = 1 };
$SIG{USR2} = sub { $isStopped = 0 };
$SIG{INT} = sub { $isClosed = 1 };
$SIG{HUP} = sub { kill 'HUP', $child };
$SIG{TERM} = sub { kill 'TERM', $child };
$| = 1;
until ($isClosed) {
  select undef, undef, undef, 0.05 while $isStopped;
  my $ready = '';
  vec($ready, fileno $own, 1) = 1;
  next if select($ready, undef, undef, 0.1) < 1 or $isStopped;
  last if !sysread $own, my $text, 65536;
  print $text;
}
close $own;
while (waitpid($child, 0) != $child) { }
exit($? >> 8);
