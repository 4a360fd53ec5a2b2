import { expect } from 'chai';
import { Html, html, NO_HTML } from '../../../src/lib/text/html.js';

describe('html', () => {
  it('escapes texts and leaves markup as it is', () => {
    expect(html`<p title="${`"'`}">${'<b>&'} ${new Html('<br>')} ${[html`<i>`, html`<u>`]}</p>`.markup).to.equal(
      '<p title="&#34;&#39;">&#60;b&#62;&#38; <br> <i>\n<u></p>',
    );
  });

  it('turns what is put in into text, in content and in attributes', () => {
    const hostile = `"><script>alert('x')</script>&`;
    const text = '&#34;&#62;&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;&#38;';
    expect(html`<a title="${hostile}">${hostile}</a>`.markup).to.equal(`<a title="${text}">${text}</a>`);
  });

  it('shows characters that hide or turn text', () => {
    expect(html`${'a\u202eb\u0000c\u200bd'}`.markup).to.equal('a\\u{202e}b\\u{0}c\\u{200b}d');
  });

  it('takes numbers, and lists of anything', () => {
    expect(html`<p>${[html`<b>${1}</b>`, NO_HTML, '<', [3]]}${2}</p>`.markup).to.equal('<p><b>1</b>\n\n&#60;\n32</p>');
  });
});
