/* The part of manual.h for steward-release(5): keys and instructions come from tables. */
#include "base/roff.h"
#include "manual.h"
#include "release/build.h"
#include "release/policy.h"
#include "release/relup.h"

static const char head[] =
    ".SH NAME\n"
    "steward\\-release \\- what a release of Steward is made of\n"
    ".SH DESCRIPTION\n"
    "A release is a named, versioned set of applications in one signed archive,\n"
    ".IR NAME\\-VERSION .tar.zst\n"
    "(or .tar.gz).  It is made from a directory by\n"
    ".BR \"relctl pack\" ,\n"
    "and a node takes it only when a key that it trusts has signed it.\n"
    ".SH THE DIRECTORY\n"
    ".TP\n.I release.ini\nname and version, see below; not shipped\n"
    ".TP\n.I tree.ini\nthe applications, supervisors and workers, as in\n"
    ".BR supervisord.conf (5)\n"
    ".TP\n.I lib/NAME.so\nhandler modules, and nothing else\n"
    ".TP\n.I bin/\nprograms; they are executable (0555), all other files are not (0444)\n"
    ".TP\n.I upgrade.json\nupgrade instructions, if they are not to be derived; not "
    "shipped\n"
    "by itself, but in the manifest\n"
    ".PP\n"
    "Other files and directories are shipped as they are.  Parts of names match\n"
    "[0\\-9A\\-Za\\-z_][0\\-9A\\-Za\\-z._+~@=\\-]*; links are relative and stay inside.\n"
    ".PP\n"
    "In\n.I release.ini\nthere is one section,\n.BR [release] :\n";

static const char module_rules[] =
    ".SH HANDLER MODULES\n"
    "A worker loads a new module beside the old one and unloads the old one later.  So\n"
    ".B relctl pack\n"
    "refuses a module\n"
    ".IP \\(bu 2\nthat is no ELF shared object for this machine, or is cut off\n"
    ".IP \\(bu 2\nwithout a note of Steward\n"
    ".IP \\(bu 2\nthat exports more or less than\n.B steward_handler\n"
    "(compile with \\-fvisibility=hidden)\n"
    ".IP \\(bu 2\nthat is not linked with \\-Wl,\\-z,now, or has text relocations, an "
    "executable\n"
    "stack, or a search path for libraries\n"
    ".IP \\(bu 2\nthat needs libraries other than libc, libm and libcjson\n"
    ".IP \\(bu 2\nwith constructors, destructors, or ifuncs; those of the compiler's "
    "own\n"
    "start files do nothing and may be there\n"
    ".IP \\(bu 2\nthat could not be unloaded: unique symbols, \\-z nodelete,\n"
    "static thread\\-local data\n"
    ".IP \\(bu 2\nthat leaves something behind: atexit and its like, keys and threads of\n"
    "pthreads, signal handlers\n"
    ".PP\n"
    "The note is section\n.BR .note.steward ,\n"
    "owner \\(lqsteward\\(rq, type 1: u32 note version (1), u32 ABI, u32 state version,\n"
    "then the module\\(aqs name and version, each ended by NUL and at most 32 bytes "
    "long.\n";

static const char archive[] =
    ".SH THE ARCHIVE\n"
    "Its first entry is\n.IR release.json ,\n"
    "the manifest, its second\n.IR release.json.minisig ,\n"
    "the signature of the manifest in the format of\n.BR minisign (1);\n"
    "then all files follow, sorted by their names.  The same files make the same bytes.\n"
    "Nothing but files, directories and links may be in it, and no name twice.\n";

static const char manifest[] =
    ".SS release.json\n"
    "One object; no other members are allowed:\n"
    ".TP\n.B format\n1\n"
    ".TP\n.BR name \", \" version \", \" description\nas in release.ini\n"
    ".TP\n.BR created \", \" expires\ntimes in UTC; after\n.B expires\n"
    "no node takes it\n"
    ".TP\n.B applications\n"
    "name and version of each\n"
    ".TP\n.B modules\n"
    "of each handler module: file, name, version, abi, state_version, build_id\n"
    ".TP\n.B upgrade\nthe upgrade instructions, see below\n"
    ".TP\n.B files\n"
    "of each file: path, size, mode (\\(dq0444\\(dq, below bin/ \\(dq0555\\(dq) and "
    "sha256 in\n"
    "hexadecimal; of each link: path and link\n"
    ".SH UPGRADE INSTRUCTIONS\n"
    "An array; each entry has\n.BR from ,\na version,\n.BR up ,\n"
    "what leads from there to this release, and optionally\n.BR down ,\n"
    "what leads back.  Both are arrays of instructions, objects whose member\n.B do\n"
    "is one of:\n";

static const char tail[] =
    ".SH KEYS\n"
    ".B relctl keygen\n"
    "makes a pair.  A node trusts the public keys\n.I *.pub\nin\n.I /etc/steward/keys\n"
    "(with\n.BR \\-\\-root :\n.IR DIR/keys );\n"
    "a key is trusted no longer when its file is gone.  Keys and signatures of\n"
    ".BR minisign (1)\n"
    "are taken, prehashed and legacy ones, and it takes ours.\n"
    ".SH EXAMPLE\n"
    ".nf\n"
    "relctl keygen shop\n"
    "printf \\(aq[release]\\enname = shop\\enversion = 1.0\\en\\(aq > "
    "src/release.ini\n"
    "relctl pack src \\-\\-key shop.key\n"
    "relctl verify shop\\-1.0.tar.zst \\-\\-pubkey shop.pub\n"
    ".fi\n"
    ".SH SEE ALSO\n"
    ".BR relctl (1),\n"
    ".BR supervisord.conf (5),\n"
    ".BR minisign (1)\n";

static void
instruction(FILE *out, const struct relup_row *row)
{
	(void)fputs(".TP\n.B ", out);
	roff_text(out, row->word);
	for (unsigned i = 0; i < RELUP_MEMBER_MAX; i++) {
		unsigned bit = 1U << i;
		if (((row->needs | row->may) & bit) == 0)
			continue;
		(void)fprintf(out, " \\fR%s\\fI", (row->needs & bit) != 0 ? "" : "[");
		roff_text(out, relup_member_names[i]);
		(void)fputs((row->needs & bit) != 0 ? "\\fR" : "\\fR]", out);
	}
	(void)fputc('\n', out);
	roff_line(out, row->help);
}

void
manual_print_release(FILE *out)
{
	roff_head(out, "relctl --print release", "STEWARD-RELEASE", 5);
	(void)fputs(head, out);
	for (size_t i = 0; i < BUILD_KEY_MAX; i++) {
		(void)fputs(".TP\n.B ", out);
		roff_line(out, build_keys[i].name);
		roff_line(out, build_keys[i].help);
		if (build_keys[i].required)
			roff_line(out, "Required.");
	}
	(void)fputs(module_rules, out);
	(void)fputs(archive, out);
	(void)fprintf(out,
	    "It has at most %llu entries of %llu MiB together, names of at most %d parts\n"
	    "and %d bytes, and not more than %llu times as many bytes as the archive.\n",
	    (unsigned long long)policy_usual.entries,
	    (unsigned long long)policy_usual.bytes >> 20, PATH_DEPTH, PATH_BYTES,
	    (unsigned long long)policy_usual.ratio);
	(void)fputs(manifest, out);
	for (size_t i = 0; i < relup_rows_n; i++)
		instruction(out, &relup_rows[i]);
	(void)fputs(tail, out);
}
